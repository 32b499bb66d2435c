use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::fault::At;

const SCOPE: &str =
    "AWS4-HMAC-SHA256 Credential=ASIAX/20261122/eu-west-1/ec2/aws4_request, SignedHeaders=host";

/// A server that answers every request with the same words.
async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789").await;
        }
    });
    address
}

/// What a client reads from one call until the connection ends.
async fn call(proxy: &Proxy, action: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(proxy.address).await?;
    let body = format!("Action={action}&Version=1&InstanceId.1=i-1");
    let head = format!(
        "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {SCOPE}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.map(|_| text)
}

async fn proxy(fault: Option<(At, Kind)>) -> Proxy {
    let proxy = Proxy::start(upstream().await).await.unwrap();
    proxy.set_faults(fault.into_iter().map(|(at, kind)| Fault { at, kind, times: 1 }).collect());
    proxy
}

#[tokio::test]
async fn calls_are_forwarded_and_written_down() {
    let proxy = proxy(None).await;
    assert!(call(&proxy, "StopInstances").await.unwrap().ends_with("0123456789"));
    let calls = proxy.calls();
    assert_eq!(calls[0].name, "ec2:StopInstances");
    assert_eq!((calls[0].number, calls[0].status), (Some(1), Some(200)));
    assert_eq!(calls[0].parameters, json!({"InstanceId.1": "i-1"}));
    assert!(calls[0].ended_ms >= calls[0].started_ms);
}

#[tokio::test]
async fn errors_have_the_shape_of_the_service() {
    let proxy = proxy(Some((At::Number(2), Kind::Throttle))).await;
    assert!(call(&proxy, "StopInstances").await.unwrap().contains("200 OK"));
    let throttled = call(&proxy, "StopInstances").await.unwrap();
    assert!(
        throttled.contains("503") && throttled.contains("<Code>RequestLimitExceeded</Code>"),
        "{throttled}"
    );
    assert!(call(&proxy, "StopInstances").await.unwrap().contains("200 OK"));
    assert_eq!(proxy.calls()[1].error.as_deref(), Some("RequestLimitExceeded"));
}

#[tokio::test]
async fn connections_break_the_way_they_are_told_to() {
    let reset = proxy(Some((At::Number(1), Kind::Reset))).await;
    assert_eq!(call(&reset, "StopInstances").await.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);

    let cut = proxy(Some((At::Operation("ec2:Stop*".to_owned()), Kind::Cut))).await;
    let text = call(&cut, "StopInstances").await.unwrap();
    assert!(text.contains("content-length: 10") && text.ends_with("01234"), "{text}");

    let hang = proxy(Some((At::Number(1), Kind::Hang))).await;
    let patience = Duration::from_millis(100);
    assert!(tokio::time::timeout(patience, call(&hang, "StopInstances")).await.is_err());
    assert!(hang.calls()[0].ended_ms.is_infinite());
}

#[tokio::test]
async fn the_killer_is_called_before_or_after_the_call_is_carried_out() {
    for kind in [Kind::KillBefore, Kind::KillAfter] {
        let proxy = proxy(Some((At::Number(1), kind))).await;
        let killed = Arc::new(Mutex::new(0));
        let count = Arc::clone(&killed);
        proxy.set_killer(Arc::new(move || *count.lock().unwrap() += 1));
        assert_eq!(call(&proxy, "StopInstances").await.unwrap(), "");
        assert_eq!(*killed.lock().unwrap(), 1);
    }
}
