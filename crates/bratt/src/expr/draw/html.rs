//! The page around the picture: the expression, the picture, its notes, and the table of all numbers.

use super::super::text::cell;
use super::super::traced::Traced;
use super::svg::draw;
use crate::page::escaped;
use std::fmt::Write;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#0f172a;--paper:#fff;--dim:#64748b;--line:#e2e8f0;--value:#15803d;--gradient:#dc2626}\
@media(prefers-color-scheme:dark){:root{--ink:#f1f5f9;--paper:#0f172a;--dim:#94a3b8;--line:#334155;--value:#4ade80;\
--gradient:#f87171}}\
body{margin:0 auto;padding:1.5rem;max-width:90rem;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}\
h1{font:600 1.3rem ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;overflow-wrap:anywhere}\
p{color:var(--dim)}.v{color:var(--value)}.g{color:var(--gradient)}\
.graph{overflow:auto;border:1px solid var(--line);border-radius:8px}.graph svg{display:block;margin:auto}\
table{border-collapse:collapse;margin-top:1rem}th,td{text-align:left;vertical-align:top;padding:.25rem 1rem .25rem 0;\
border-bottom:1px solid var(--line)}td,code{font:13px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;\
white-space:pre}th{font-weight:600;font-size:.85rem}.note{color:inherit;border-left:3px solid #f59e0b;padding-left:.7rem}";

/// A page of its own: nothing is loaded from elsewhere; light or dark as the reader's system is.
pub fn page(traced: &Traced) -> String {
    let title = escaped(&traced.source);
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>\
         <p>On each wire: the <span class=\"v\">value</span> above, and below it the \
         <span class=\"g\">gradient</span> of <code>{}</code> with respect to it.</p>\
         <div class=\"graph\">{}</div>",
        escaped(&traced.result().name),
        draw(traced).svg
    );
    for note in &traced.notes {
        let _ = write!(out, "<p class=\"note\">{}</p>", escaped(note));
    }
    out += "<table><tr><th>name</th><th>is</th><th>shape</th><th>value</th><th>gradient</th></tr>";
    for node in &traced.nodes {
        let gradient = node.gradient.as_ref().map_or_else(|| "none".into(), |g| cell(g, 12, 60).join("\n"));
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"v\">{}</td><td class=\"g\">{}</td></tr>",
            escaped(&node.name),
            escaped(if node.inputs.is_empty() { &node.op } else { &node.text }),
            node.value.shape(),
            escaped(&cell(&node.value, 12, 60).join("\n")),
            escaped(&gradient)
        );
    }
    out += "</table></body></html>\n";
    out
}
