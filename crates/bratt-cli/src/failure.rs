//! How the program ends: exit codes, and errors as people meet them.
//!
//! ```text
//! error: photo.png: the image is truncated; get the file again
//!   because: unexpected end of file
//! help: ...
//! ```

use bratt::train::TrainError;
use std::error::Error;
use std::fmt::Write as _;
use std::io;

/// The exit codes. They are part of the interface: scripts rely on them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Something was found, or a requirement was not met.
    Found = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// Data or a model file cannot be used.
    Data = 3,
    /// A setting is unknown, invalid, or cannot be carried out.
    Configuration = 4,
    /// A bug of bratt.
    Bug = 70,
    /// Interrupted by Ctrl-C.
    Interrupted = 130,
}

/// The exit codes as the help shows them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    good
  1    found something, or a requirement failed (as training that diverged)
  2    the command line cannot be understood
  3    data or a model file cannot be used
  4    a setting is unknown or invalid, or the output folder cannot be written
  70   a bug of bratt
  130  interrupted by Ctrl-C; training saves what it has first";

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub enum Failure {
    /// To be told to the user.
    Told {
        /// How the program ends.
        exit: Exit,
        /// What is wrong, with the place.
        message: String,
        /// The chain of causes, nearest first.
        causes: Vec<String>,
        /// How to mend it.
        help: Option<String>,
    },
    /// Standard output takes no more. A closed pipe is not worth a word.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    /// For writing to standard output only; other files are named by who uses them.
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Failure {
        Failure::data(&error)
    }
}

impl Failure {
    /// A message without a cause.
    pub fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure::Told { exit, message: message.into(), causes: Vec::new(), help: None }
    }

    /// An error of the library with its causes.
    pub fn of(exit: Exit, error: &dyn Error) -> Failure {
        let mut causes: Vec<String> = Vec::new();
        let mut said = error.to_string();
        let message = said.clone();
        let mut next = error.source();
        while let Some(cause) = next {
            // Some errors repeat their cause in their own words.
            let text = cause.to_string();
            if !said.contains(&text) {
                causes.push(text.clone());
                said = text;
            }
            next = cause.source();
        }
        Failure::Told { exit, message, causes, help: None }
    }

    /// Data or a model that cannot be used.
    pub fn data(error: &dyn Error) -> Failure {
        Failure::of(Exit::Data, error)
    }

    /// A setting that cannot be.
    pub fn configuration(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Configuration, message)
    }

    /// The same with a way to mend it.
    pub fn help(mut self, text: impl Into<String>) -> Failure {
        if let Failure::Told { help, .. } = &mut self {
            *help = Some(text.into());
        }
        self
    }

    /// The same with a way to mend it, unless there is one.
    pub fn or_help(self, text: impl Into<String>) -> Failure {
        match &self {
            Failure::Told { help: None, .. } => self.help(text),
            _ => self,
        }
    }

    /// The same with a place or cause in front of the others.
    pub fn because(mut self, text: impl Into<String>) -> Failure {
        if let Failure::Told { causes, .. } = &mut self {
            causes.insert(0, text.into());
        }
        self
    }

    /// How the program ends.
    pub fn exit(&self) -> u8 {
        match self {
            Failure::Told { exit, .. } => *exit as u8,
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Failure::Output(_) => Exit::Data as u8,
        }
    }

    /// The text for standard error, with colours in it; nothing for a closed pipe.
    pub fn text(&self) -> String {
        let (red, cyan, plain) = ("\x1b[1;31m", "\x1b[1;36m", "\x1b[0m");
        match self {
            Failure::Told { message, causes, help, .. } => {
                let mut text = format!("{red}error:{plain} {message}\n");
                for cause in causes {
                    let _ = writeln!(text, "  because: {cause}");
                }
                if let Some(help) = help {
                    let _ = writeln!(text, "{cyan}help:{plain} {help}");
                }
                text
            }
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => String::new(),
            Failure::Output(error) => {
                format!("{red}error:{plain} standard output cannot be written\n  because: {error}\n")
            }
        }
    }
}

/// A panic gives the terminal back and says whose fault it is.
pub fn explain_panics() {
    std::panic::set_hook(Box::new(|info| {
        crate::terminal::screen::leave();
        crate::terminal::tell(&format!("\nerror: this is a bug of bratt, not yours: {info}\n"));
        crate::terminal::tell("help: please report it with the command that you ran\n");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Nested(&'static str, Option<Box<Nested>>);

    impl std::fmt::Display for Nested {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Nested {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn causes_are_told_once_each() {
        let io = Nested("no such file", None);
        let decoder = Nested("decoding: no such file", Some(Box::new(io)));
        let error = Nested("a.png: not readable", Some(Box::new(decoder)));
        let Failure::Told { causes, .. } = Failure::data(&error) else { panic!("told") };
        assert_eq!(causes, ["decoding: no such file"]);
    }
}
