//! A real browser for tests of pages: headless Chromium, controlled through the pipe of its DevTools protocol.
//!
//! A click here is a mouse click, at the place where the button is shown: a button that cannot be seen cannot be
//! pressed. The browser is the one in `CHROMIUM`, or the first of the usual names on `PATH`; without any, a test says
//! that it was not run. It reaches this machine only.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Once;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

const VARIABLE: &str = "CHROMIUM";
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// A browser's start is work for many seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The ends of the pipe have the numbers 3 and 4, which only a shell gives without further ado.
const SCRIPT: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

/// A running browser with one page. It ends with the test.
pub struct Browser {
    process: Child,
    commands: ChildStdin,
    replies: Receiver<Value>,
    sent: u64,
    session: Value,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser; `None`, and said so, where there is none.
    pub fn start() -> Option<Self> {
        let Some(program) = program() else {
            not_run();
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(program)
            .args(["--headless", "--remote-debugging-pipe", "--disable-gpu"])
            // Its own sandbox does not start for root or in a container, and only our own pages are opened.
            .args(["--no-sandbox", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, replies) = channel();
        std::thread::spawn(move || {
            for message in output.split(0) {
                let Ok(message) = message else { return };
                let message = serde_json::from_slice(&message).unwrap();
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            commands: process.stdin.take().unwrap(),
            process,
            replies,
            sent: 0,
            session: Value::Null,
            _profile: profile,
        };
        let target = browser.tell("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session = browser.tell("Target.attachToTarget", attach)["sessionId"].take();
        browser.tell("Page.enable", json!({}));
        Some(browser)
    }

    /// Opens a page and waits until all of it is there.
    pub fn open(&mut self, url: &str) {
        let navigated = self.tell("Page.navigate", json!({ "url": url }));
        assert!(navigated["errorText"].is_null(), "{url}: {navigated}");
        self.evaluate("new Promise(done => document.readyState == 'complete' ? done(1) : addEventListener('load', () => done(1)))");
    }

    /// What a script in the page gives. The page may be replaced at any moment, and is then asked again.
    pub fn evaluate(&mut self, script: &str) -> Value {
        let ask = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.try_to_tell("Runtime.evaluate", ask.clone()) {
                Ok(given) if given["exceptionDetails"].is_null() => {
                    return given["result"]["value"].clone();
                }
                problem => assert!(Instant::now() < deadline, "{script}: {problem:?}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The text of the page, as a person reads it.
    pub fn text(&mut self) -> String {
        let text = self.evaluate("document.body ? document.body.innerText : ''");
        text.as_str().unwrap().to_owned()
    }

    /// Waits until the page's text is as wanted.
    #[track_caller]
    pub fn reads(&mut self, wanted: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.text();
            if wanted(&text) {
                return;
            }
            assert!(Instant::now() < deadline, "the page reads: {text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks with the mouse on the button or link that reads `text`, until `done`. A page that looks again by itself
    /// may swallow a click, as it would a person's.
    #[track_caller]
    pub fn click_until(&mut self, text: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let wanted = json!(text);
        let place = format!(
            "(() => {{
                const all = [...document.querySelectorAll('button, a')];
                const one = all.find(element => element.innerText == {wanted});
                if (!one) return null;
                one.scrollIntoView({{ block: 'center' }});
                const box = one.getBoundingClientRect();
                const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
                return one.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
            }})()"
        );
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let [x, y] = self.evaluate(&place).as_array().map_or(&[][..], |all| all) {
                for kind in ["mousePressed", "mouseReleased"] {
                    let event =
                        json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
                    self.tell("Input.dispatchMouseEvent", event);
                }
            }
            let soon = Instant::now() + Duration::from_secs(5);
            while Instant::now() < soon {
                if done(self) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let shown = self.text();
            assert!(
                Instant::now() < deadline,
                "no use in clicking {text}: {shown}"
            );
        }
    }

    /// Shows pages from now on as a screen of this width does, in a light or a dark room.
    pub fn on_a_screen(&mut self, width: u32, theme: &str) {
        let size =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.tell("Emulation.setDeviceMetricsOverride", size);
        let theme = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        self.tell("Emulation.setEmulatedMedia", json!({ "features": theme }));
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str, code: u32) {
        for kind in ["keyDown", "keyUp"] {
            let event =
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            self.tell("Input.dispatchKeyEvent", event);
        }
    }

    /// Puts a picture of the whole page into the folder of `PICTURES`, if that is set, for a person to look at.
    pub fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("PICTURES").filter(|folder| !folder.is_empty()) else {
            return;
        };
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.tell("Page.captureScreenshot", whole)["data"].take();
        let script =
            "import base64, sys; open(sys.argv[1], 'wb').write(base64.b64decode(sys.stdin.read()))";
        let path = Path::new(&folder).join(name);
        let mut decode = Command::new("python3")
            .args(["-c", script])
            .arg(path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let data = picture.as_str().unwrap().as_bytes();
        decode.stdin.take().unwrap().write_all(data).unwrap();
        assert!(decode.wait().unwrap().success());
    }

    #[track_caller]
    fn tell(&mut self, method: &str, parameters: Value) -> Value {
        match self.try_to_tell(method, parameters) {
            Ok(result) => result,
            Err(problem) => panic!("{method}: {problem}"),
        }
    }

    /// Sends one command and gives its result, or the browser's word why there is none.
    fn try_to_tell(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.sent += 1;
        let mut command = json!({ "id": self.sent, "method": method, "params": parameters });
        if !self.session.is_null() {
            command["sessionId"] = self.session.clone();
        }
        self.commands
            .write_all(format!("{command}\0").as_bytes())
            .unwrap();
        loop {
            // What has no id is news, such as that a page was loaded.
            let mut reply = self.replies.recv_timeout(PATIENCE).expect(method);
            if reply["id"] == self.sent {
                return match reply["error"].take() {
                    Value::Null => Ok(reply["result"].take()),
                    error => Err(error),
                };
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its helpers, too: all of them are of the group that the shell began.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
    }
}

fn program() -> Option<String> {
    if let Ok(own) = std::env::var(VARIABLE)
        && !own.is_empty()
    {
        return Some(own);
    }
    let path = std::env::var_os("PATH")?;
    let is_there = |name: &&&str| {
        std::env::split_paths(&path).any(|folder| Path::new(&folder).join(name).is_file())
    };
    NAMES.iter().find(is_there).map(|name| (*name).to_owned())
}

/// Straight to the terminal: a passing test's own output is swallowed.
fn not_run() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let names = NAMES.join(", ");
        let text = format!(
            "NOT RUN: the tests of pages in a real browser; none of {names} is on PATH, and {VARIABLE} names none"
        );
        let _ = writeln!(std::io::stderr(), "{text}");
    });
}
