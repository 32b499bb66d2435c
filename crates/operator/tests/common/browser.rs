//! A real Chromium without a window: what a page is like once a browser has made sense of it, and how it looks.
//!
//! Nothing leaves the machine: every name is resolved to nothing, and what the browser does by itself is off.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Longer than this no page of the tests takes.
const PATIENCE: Duration = Duration::from_secs(90);

/// A browser.
pub(crate) struct Browser(PathBuf);

impl Browser {
    /// The machine's Chromium, or the one that `TOURNIQUET_CHROMIUM` names, which then must be there. Without one the test says so and
    /// leaves the browser out.
    pub(crate) fn find() -> Option<Self> {
        if let Some(wanted) = std::env::var_os("TOURNIQUET_CHROMIUM").map(PathBuf::from) {
            assert!(wanted.exists(), "TOURNIQUET_CHROMIUM names {}, which is not there", wanted.display());
            return Some(Self(wanted));
        }
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&paths)
            .flat_map(|folder| {
                ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name))
            })
            .find(|path| path.exists());
        if found.is_none() {
            eprintln!("LEFT OUT: Chromium is missing, so the page was NOT looked at in a browser.");
        }
        found.map(Self)
    }

    /// What a page is like in a frame of so many pixels: see `measure.js`.
    pub(crate) fn measure(&self, page: &Path, width: u32) -> Result<Value> {
        let folder = tempfile::tempdir()?;
        let wrapper = folder.path().join("wrapper.html");
        let frame = format!(
            "<!doctype html><iframe id=frame src='file://{}' style='border:0;width:{width}px;height:1500px'></iframe>\
             <script>{}</script>",
            page.display(),
            include_str!("measure.js")
        );
        std::fs::write(&wrapper, frame)?;
        let arguments = ["--dump-dom", "--allow-file-access-from-files"];
        let dump = self.open(arguments, &wrapper)?;
        let text = dump.split("<pre id=\"measured\">").nth(1).and_then(|rest| rest.split("</pre>").next());
        let text = text.with_context(|| {
            format!("nothing was measured: {}", &dump[dump.len().saturating_sub(2_000)..])
        })?;
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        serde_json::from_str(&text).context(text)
    }

    /// A picture of a page.
    pub(crate) fn picture(
        &self,
        page: &Path,
        (width, height): (u32, u32),
        dark: bool,
        file: &Path,
    ) -> Result<()> {
        let picture = format!("--screenshot={}", file.display());
        let size = format!("--window-size={width},{height}");
        let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(!dark));
        self.open([&picture, &size, &scheme, "--hide-scrollbars"].map(OsStr::new), page).map(drop)
    }

    /// A page on paper.
    pub(crate) fn print(&self, page: &Path, file: &Path) -> Result<()> {
        self.open([format!("--print-to-pdf={}", file.display()), "--no-pdf-header-footer".to_owned()], page)
            .map(drop)
    }

    fn open(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, page: &Path) -> Result<String> {
        let profile = tempfile::tempdir()?;
        let output = profile.path().join("stdout");
        let mut browser = Command::new(&self.0)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--force-device-scale-factor=1"])
            .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
            .args(arguments)
            .arg(format!("file://{}", page.display()))
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&output)?)
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", self.0.display()))?;
        let step = Duration::from_millis(50);
        for _ in 0..PATIENCE.as_millis() / step.as_millis() {
            if let Some(status) = browser.try_wait()? {
                if !status.success() {
                    bail!("the browser ended with {status}");
                }
                return Ok(std::fs::read_to_string(&output)?);
            }
            std::thread::sleep(step);
        }
        browser.kill()?;
        browser.wait()?;
        bail!("the browser did not end within {PATIENCE:?}")
    }
}
