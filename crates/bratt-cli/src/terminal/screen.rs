//! The terminal's second screen, which goes away with what was drawn on it, so that what was there before comes back.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Second screen, no cursor, no wrapping of lines.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

static SHOWN: AtomicBool = AtomicBool::new(false);
/// What was told while the second screen was shown.
static LATER: Mutex<String> = Mutex::new(String::new());

/// Shows it.
pub fn enter() {
    SHOWN.store(true, Ordering::SeqCst);
    write(ENTER);
}

/// Whether it is shown.
pub fn is_shown() -> bool {
    SHOWN.load(Ordering::SeqCst)
}

/// Gives the terminal back, if the second screen is shown: also for who ends the program from elsewhere.
pub fn leave() {
    if SHOWN.swap(false, Ordering::SeqCst) {
        write(LEAVE);
        super::tell(&std::mem::take(&mut *later()));
    }
}

/// Writes to standard error, or keeps the text until the second screen has gone.
pub fn tell(text: &str) {
    if is_shown() {
        *later() += text;
    } else {
        super::tell(text);
    }
}

fn later() -> MutexGuard<'static, String> {
    LATER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Draws on it. There is nobody to tell if that fails.
pub fn write(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the next test runs as a process of its own, whose standard error it reads.
    #[test]
    #[ignore = "panics with the second screen on; run by another test"]
    fn panics_on_the_second_screen() {
        crate::failure::explain_panics();
        enter();
        tell("told meanwhile");
        panic!("deliberate");
    }

    #[test]
    fn a_panic_gives_the_terminal_back_before_it_is_explained() {
        let mut test = std::process::Command::new(std::env::current_exe().unwrap());
        let name = "terminal::screen::tests::panics_on_the_second_screen";
        test.args(["--ignored", "--exact", "--nocapture", name]);
        let output = test.output().unwrap();
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let places =
            [ENTER, LEAVE, "told meanwhile", "a bug of bratt", "deliberate"].map(|part| text.find(part));
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} in {text:?}");
        assert_eq!(text.matches(LEAVE).count(), 1, "{text:?}");
    }
}
