//! Markup that is well-formed by construction: elements close themselves, and every text and attribute is escaped.

use std::fmt::{Display, Write};

/// Elements that have no end tag.
const VOID: [&str; 4] = ["img", "meta", "link", "br"];

/// Finished markup.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Markup(String);

impl Markup {
    /// Nothing yet.
    pub fn new() -> Markup {
        Markup::default()
    }

    /// Goes on with more.
    pub fn push(&mut self, more: impl Into<Markup>) {
        self.0.push_str(&more.into().0);
    }

    /// As [`Markup::push`], by value.
    pub fn then(mut self, more: impl Into<Markup>) -> Markup {
        self.push(more);
        self
    }

    /// Text that stands in this program's own source and is meant as it is: style and script.
    pub fn trusted(source: &'static str) -> Markup {
        Markup(source.into())
    }

    /// The markup as text.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Element> for Markup {
    fn from(element: Element) -> Markup {
        let Element { name, mut head, body } = element;
        head.push('>');
        if VOID.contains(&name) {
            return Markup(head);
        }
        head.push_str(&body.0);
        let _ = write!(head, "</{name}>"); // writing to a String cannot fail
        Markup(head)
    }
}

impl From<&str> for Markup {
    fn from(text: &str) -> Markup {
        Markup(escaped(text))
    }
}

impl From<String> for Markup {
    fn from(text: String) -> Markup {
        Markup(escaped(&text))
    }
}

impl From<&String> for Markup {
    fn from(text: &String) -> Markup {
        Markup(escaped(text))
    }
}

impl<T: Into<Markup>> From<Option<T>> for Markup {
    fn from(some: Option<T>) -> Markup {
        some.map_or_else(Markup::new, Into::into)
    }
}

impl<T: Into<Markup>> FromIterator<T> for Markup {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Markup {
        all.into_iter().fold(Markup::new(), Markup::then)
    }
}

/// An element under construction.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    name: &'static str,
    /// The begin tag without its `>`.
    head: String,
    body: Markup,
}

/// Begins an element.
pub(crate) fn el(name: &'static str) -> Element {
    Element { name, head: format!("<{name}"), body: Markup::new() }
}

impl Element {
    /// Sets an attribute.
    pub fn attr(mut self, name: &'static str, value: impl Display) -> Element {
        let _ = write!(self.head, " {name}=\"{}\"", escaped(&value.to_string()));
        self
    }

    /// Sets the class.
    pub fn class(self, class: impl Display) -> Element {
        self.attr("class", class)
    }

    /// Sets several attributes that are numbers, as coordinates are: rounded to a tenth.
    pub fn at<const N: usize>(self, numbers: [(&'static str, f64); N]) -> Element {
        numbers.into_iter().fold(self, |element, (name, number)| element.attr(name, tenth(number)))
    }

    /// Puts text, an element or markup at the end of the content.
    pub fn with(mut self, child: impl Into<Markup>) -> Element {
        self.body.push(child);
        self
    }
}

/// A coordinate, to a tenth of a pixel.
pub(crate) fn tenth(number: f64) -> String {
    let text = format!("{number:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".into() } else { text.into() }
}

/// Text as it stands between tags and in quoted attributes. Control characters, which HTML does not allow, become the
/// replacement character.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(c),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped_and_elements_close() {
        let found: Markup =
            el("p").attr("title", "\"><b>").with("a < b & c").with(el("img").attr("alt", "'")).into();
        let expected = "<p title=\"&quot;&gt;&lt;b&gt;\">a &lt; b &amp; c<img alt=\"&#39;\"></p>";
        assert_eq!(found.into_string(), expected);
        assert_eq!(Markup::from("a\u{0}b\r").into_string(), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!([1.0, 0.25, -0.01, 12.36].map(tenth), ["1", "0.2", "0", "12.4"]);
    }
}
