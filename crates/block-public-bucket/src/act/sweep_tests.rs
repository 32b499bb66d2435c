use futures_util::StreamExt;

use super::*;

fn swept() -> Lead<Detail> {
    Lead { cause: Cause::sweep(), ..lead() }
}

#[tokio::test]
async fn s21_a_sweep_needs_one_call_for_a_bucket_behind_its_block() {
    for (block, settings, calls) in [
        (Block::FULL, Settings::default(), 1),
        (Block { block_acls: false, ..Block::FULL }, Settings::default(), 1),
        (
            Block { block_acls: false, ..Block::FULL },
            Settings { require_block: true, ..Settings::default() },
            9,
        ),
        (HALF, Settings::default(), 9),
    ] {
        let (clients, requests) = recording("eu-central-1", None, move |request| match request.about() {
            "publicAccessBlock" => ok(block_xml(block)),
            _ => public_bucket(request),
        });
        observe(&clients, &swept(), &settings).await.unwrap().unwrap();
        assert_eq!(requests.lock().unwrap().len(), calls, "{block}");
    }
}

fn listing(request: &Request) -> Reply {
    if request.about() != "buckets" {
        return public_bucket(request);
    }
    let bucket = |name: &str, region: &str| format!("<Bucket><Name>{name}</Name>{region}</Bucket>");
    let (buckets, next) = if request.path.contains("continuation-token=t") {
        (bucket("third", ""), "")
    } else {
        let tokyo = bucket("second", "<BucketRegion>ap-northeast-1</BucketRegion>");
        (
            bucket("first", "<BucketRegion>eu-central-1</BucketRegion>") + &tokyo,
            "<ContinuationToken>t</ContinuationToken>",
        )
    };
    ok(format!("<ListAllMyBucketsResult><Buckets>{buckets}</Buckets>{next}</ListAllMyBucketsResult>"))
}

async fn sweeping(
    answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    settings: Settings,
) -> (Vec<String>, usize) {
    let (clients, requests) = recording("eu-central-1", None, answer);
    let place = Place::new("111122223333", "eu-central-1");
    let items: Vec<_> = sweep(&clients, &place, &settings).collect().await;
    let words = items.into_iter().map(|item| match item {
        Ok(lead) => format!("{} {}", lead.place.region, lead.subject),
        Err(error) => error.to_string(),
    });
    let calls = requests.lock().unwrap().len();
    (words.collect(), calls)
}

#[tokio::test]
async fn s21_a_sweep_names_every_bucket_of_every_page_in_its_own_region() {
    let expected = ["eu-central-1 first", "ap-northeast-1 second", "eu-central-1 third"];
    assert_eq!(sweeping(listing, Settings::default()).await, (expected.map(str::to_owned).to_vec(), 3));
}

#[tokio::test]
async fn s21_with_the_accounts_block_fully_on_a_sweep_is_one_call() {
    let full = |request: &Request| match request.about() {
        "account" => ok(block_xml(Block::FULL)),
        _ => listing(request),
    };
    assert_eq!(sweeping(full, Settings::default()).await, (Vec::new(), 1));
    let required = Settings { require_block: true, ..Settings::default() };
    assert_eq!(sweeping(full, required).await.0.len(), 3);
    let half = |request: &Request| match request.about() {
        "account" => ok(block_xml(HALF)),
        _ => listing(request),
    };
    assert_eq!(sweeping(half, Settings::default()).await.0.len(), 3);
}

#[tokio::test]
async fn s13_a_sweep_comes_to_the_accounts_block_only_where_it_is_restored() {
    let restore = Settings { restore_account_block: true, ..Settings::default() };
    assert_eq!(sweeping(listing, restore).await.0[0], "eu-central-1 111122223333");
}

#[tokio::test]
async fn s21_a_page_that_cannot_be_read_is_said_and_what_was_read_before_counts() {
    let second_page = |request: &Request| {
        if request.path.contains("continuation-token=t") {
            refused(403, "AccessDenied")
        } else {
            listing(request)
        }
    };
    let (words, _) = sweeping(second_page, Settings::default()).await;
    assert_eq!(
        words,
        ["eu-central-1 first", "ap-northeast-1 second", "s3:ListAllMyBuckets: AccessDenied: m"]
    );
}

#[tokio::test]
async fn s14_a_sweep_goes_on_where_the_accounts_block_is_not_shown() {
    let hidden = |request: &Request| match request.about() {
        "account" => refused_by_control(403, "AccessDenied"),
        _ => listing(request),
    };
    assert_eq!(sweeping(hidden, Settings::default()).await.0.len(), 3);
    let failing = |request: &Request| match request.about() {
        "account" => refused_by_control(400, "InvalidRequest"),
        _ => listing(request),
    };
    let (words, _) = sweeping(failing, Settings::default()).await;
    assert!(
        words.len() == 4 && words[0].starts_with("s3:GetAccountPublicAccessBlock: InvalidRequest"),
        "{words:?}"
    );
}
