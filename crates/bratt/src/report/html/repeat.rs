//! How to get the same run again.

use super::data::pairs;
use super::{ConfigRow, Report};
use crate::page::{Markup, el};

pub(super) fn repeat(report: &Report) -> Markup {
    let repeat = &report.repeat;
    let copy = el("button").attr("type", "button").class("copy").attr("hidden", "").with("Copy");
    let command =
        el("div").class("command").with(el("pre").with(el("code").with(&repeat.command))).with(copy);
    let about = "The same version, data, configuration and seed give the same model, byte for byte, on any number of \
                 threads of the same instruction set. The command sets what was set by hand; config.toml in the folder \
                 of the run holds every value.";
    let facts = vec![
        ("version", format!("bratt {}", repeat.version)),
        ("seed", repeat.seed.to_string()),
        ("data", format!("{}, fingerprint {}", report.data.name, report.data.fingerprint)),
        ("optimizer", report.training.optimizer.clone()),
        ("learning rate", report.training.schedule.clone()),
        ("batch size", report.training.batch_size.to_string()),
        ("instruction set", repeat.isa.clone().unwrap_or_default()),
        ("threads", repeat.threads.map_or(String::new(), |threads| threads.to_string())),
    ];
    let row = |row: &ConfigRow| {
        let origin = if row.origin == "default" { "soft" } else { "set" };
        el("tr")
            .with(el("th").attr("scope", "row").with(el("code").with(&row.key)))
            .with(el("td").with(el("code").with(&row.value)))
            .with(el("td").class(origin).with(&row.origin))
    };
    let head: Markup =
        ["key", "value", "origin"].map(|name| el("th").attr("scope", "col").with(name)).into_iter().collect();
    let table = el("table")
        .class("slim")
        .with(el("thead").with(el("tr").with(head)))
        .with(el("tbody").with(repeat.config.iter().map(row).collect::<Markup>()));
    let details = el("details")
        .with(el("summary").with(format!("Configuration, {} values with their origin", repeat.config.len())))
        .with(el("div").class("scroll").with(table));
    Markup::new().then(command).then(el("p").class("note").with(about)).then(pairs(facts)).then(details)
}
