//! Pages as a browser shows them, if one is installed.

use super::common::Place;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

/// Leaves what a script has seen in the document.
const NOTE: &str = r#"
const note = (seen) => {
  const pre = document.createElement('pre');
  pre.id = 'note';
  pre.textContent = JSON.stringify({ ...seen, loaded: performance.getEntriesByType('resource')
    .map((entry) => entry.name).filter((name) => !name.startsWith('data:')) });
  document.body.append(pre);
};
"#;

/// The browser that `cargo xtask test` names, or else one that is installed.
pub fn found() -> Option<String> {
    let there = |name: &String| {
        let asked = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    let installed = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    std::env::var("BRATT_BROWSER").ok().into_iter().chain(installed.map(String::from)).find(there)
}

/// What `script` tells of a page: it calls `note` with an object, to which the addresses `loaded` are added.
pub fn note(browser: &str, place: &Place, html: &str, script: &str) -> Value {
    let page = place.write("watched.html", with_script(html, &format!("{NOTE}{script}")));
    let document = open(browser, place, &page);
    let note = document.split("<pre id=\"note\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    serde_json::from_str(note.unwrap_or_else(|| panic!("no note in {document}"))).unwrap()
}

/// Opens a page of a file, lets its script run, and gives the document that it has become.
fn open(browser: &str, place: &Place, page: &Path) -> String {
    let ran = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .args(["--window-size=1280,900", "--virtual-time-budget=10000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", place.path("browser").display()))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

/// The page with another script beside its own, which the page's policy would not let run.
fn with_script(html: &str, script: &str) -> String {
    let policy = html.find("<meta http-equiv=").unwrap();
    let end = policy + html[policy..].find('>').unwrap() + 1;
    let html = format!("{}{}", &html[..policy], &html[end..]);
    html.replacen("</body>", &format!("<script>{script}</script></body>"), 1)
}
