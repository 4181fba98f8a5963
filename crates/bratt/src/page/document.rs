//! The frame of a page: what is told to the browser, contents, parts, and what stands below.

use super::{Element, Markup, base64, el};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("style.css");
/// Of surfaces, which are drawn into files of their own, too.
pub(crate) const SURFACE_STYLE: &str = include_str!("surface.css");
const SCRIPT: &str = include_str!("script.js");

/// A whole document: contents beside it, the first screen, parts, and what stands below.
pub(crate) fn document(title: &str, version: &str, first: Markup, sections: Vec<Section>) -> String {
    let style = Markup::trusted(STYLE).then(Markup::trusted(SURFACE_STYLE));
    let head = head(title, version, style, SCRIPT);
    let links: Markup = sections
        .iter()
        .map(|section| el("li").with(el("a").attr("href", format!("#{}", section.id)).with(section.title)))
        .collect();
    let theme =
        el("button").attr("type", "button").attr("id", "theme").attr("hidden", "").with("Theme: auto");
    let nav = el("nav").attr("aria-label", "Contents").with(el("ul").with(links)).with(theme);
    let content: Markup = sections.into_iter().map(Section::markup).collect();
    let main = el("main").attr("id", "top").with(first).with(content).with(foot(version));
    let skip = el("a").class("skip").attr("href", "#top").with("Skip to the report");
    let body = el("body").with(skip).with(nav).with(main).with(el("script").with(Markup::trusted(SCRIPT)));
    let html: Markup = el("html").attr("lang", "en").with(head).with(body).into();
    format!("<!doctype html>\n{}\n", html.into_string())
}

/// What stands before the body of any page.
pub(crate) fn head(title: &str, version: &str, style: Markup, script: &str) -> Element {
    // Nothing is fetched, whatever stands in the page; and no script runs but this one.
    let policy = format!(
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{}'",
        base64(&Sha256::digest(script))
    );
    el("head")
        .with(el("meta").attr("charset", "utf-8"))
        .with(el("meta").attr("http-equiv", "Content-Security-Policy").attr("content", policy))
        .with(el("meta").attr("name", "viewport").attr("content", "width=device-width, initial-scale=1"))
        .with(el("meta").attr("name", "color-scheme").attr("content", "light dark"))
        .with(el("meta").attr("name", "generator").attr("content", format!("bratt {version}")))
        .with(el("link").attr("rel", "icon").attr("href", "data:,"))
        .with(el("title").with(format!("{title} \u{b7} bratt")))
        .with(el("style").with(style))
}

/// A part of the page.
pub(crate) struct Section {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) content: Markup,
}

impl Section {
    fn markup(self) -> Element {
        el("section")
            .attr("id", self.id)
            .attr("aria-labelledby", format!("{}-title", self.id))
            .with(el("h2").attr("id", format!("{}-title", self.id)).with(self.title))
            .with(self.content)
    }
}

pub(crate) fn tile(name: &str, figure: impl Into<Markup>, about: impl Into<Markup>) -> Markup {
    Markup::new()
        .then(el("h3").with(name))
        .then(el("p").class("figure").with(figure))
        .then(el("p").class("about").with(about))
}

fn foot(version: &str) -> Element {
    el("footer").with(format!("Written by bratt {version}. This page is one file and loads nothing."))
}
