//! The functions of the language: one table, in the order in which it is listed.
//!
//! Each row has its operands, its attributes with their defaults, an example, and how it is written into a graph.

mod images;
mod losses;
mod pointwise;
mod shapes;

use crate::graph::{GraphBuilder, Padding, Value, Window};
use crate::tensor::Shape;
use std::ops::Range;

/// A function of the language.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Other names by which it is found.
    pub aliases: &'static [&'static str],
    /// The names of its operands; `?` marks one that may be left out, `...` any number.
    pub operands: &'static [&'static str],
    /// Its attributes, in the order in which they may stand without their names.
    pub attributes: &'static [Attribute],
    /// What it computes, with shapes.
    pub about: &'static str,
    /// An expression of literals that uses it.
    pub example: &'static str,
    build: fn(&Call<'_>) -> Result<Value, Problem>,
}

/// An attribute: a setting that is no value of the graph.
#[derive(Debug)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it is when it is not given; empty if it must be.
    pub default: &'static str,
}

/// What an attribute is set to.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Setting {
    Number(f64),
    List(Vec<f64>),
    Word(String),
}

/// An attribute that is given.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Given {
    pub name: &'static str,
    pub setting: Setting,
    pub span: Range<usize>,
}

/// What is wrong with a call; the place is the attribute's, or else the whole.
#[derive(Debug)]
pub(super) struct Problem {
    pub attribute: Option<&'static str>,
    pub message: String,
}

/// A function with what it is called with.
pub(super) struct Call<'a> {
    pub g: &'a GraphBuilder,
    pub x: &'a [Value],
    pub given: &'a [Given],
}

/// A row of the table.
const fn row(
    name: &'static str,
    operands: &'static [&'static str],
    attributes: &'static [Attribute],
    about: &'static str,
    example: &'static str,
    build: fn(&Call<'_>) -> Result<Value, Problem>,
) -> Function {
    Function { name, aliases: &[], operands, attributes, about, example, build }
}

impl Function {
    const fn also(mut self, aliases: &'static [&'static str]) -> Function {
        self.aliases = aliases;
        self
    }

    /// `conv2d(x, w, stride=1, ...)`
    pub fn signature(&self) -> String {
        let attributes = self.attributes.iter().map(|a| match a.default {
            "" => format!("{}=", a.name),
            default => format!("{}={default}", a.name),
        });
        let all: Vec<String> = self.operands.iter().map(|name| name.to_string()).chain(attributes).collect();
        format!("{}({})", self.name, all.join(", "))
    }

    pub(super) fn most_operands(&self) -> usize {
        if self.operands.last() == Some(&"...") { usize::MAX } else { self.operands.len() }
    }

    pub(super) fn least_operands(&self) -> usize {
        self.operands.iter().filter(|name| !name.ends_with('?') && **name != "...").count()
    }

    /// An attribute by its name, or by what other libraries call it.
    pub(super) fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        let meant = match name {
            "dim" => "axis",
            "eps" => "epsilon",
            "keepdim" | "keepdims" => "keep",
            "kernel_size" => "kernel",
            "negative_slope" => "slope",
            name => name,
        };
        let named = |name: &str| self.attributes.iter().find(|a| a.name == name);
        named(meant).or_else(|| match meant {
            "axis" => named("axes"),
            "axes" | "dims" => named("axis").or_else(|| named("axes")).or_else(|| named("order")),
            _ => None,
        })
    }

    /// How it stands in a drawing: the sign where mathematics has one.
    pub fn symbol(&self) -> &'static str {
        match self.name {
            "add" => "+",
            "sub" => "−",
            "mul" => "×",
            "div" => "÷",
            "neg" => "−1×",
            "recip" => "1/x",
            "pow" => "^",
            "square" => "x²",
            "sqrt" => "√",
            "sum" => "Σ",
            "sigmoid" => "σ",
            "matmul" => "@",
            "lt" => "<",
            "le" => "≤",
            "gt" => ">",
            "ge" => "≥",
            "eq" => "=",
            "ne" => "≠",
            name => name,
        }
    }

    pub(super) fn build(&self, call: &Call<'_>) -> Result<Value, Problem> {
        (self.build)(call)
    }
}

/// All functions by family.
pub fn families() -> [(&'static str, &'static [Function]); 5] {
    [
        ("element by element", pointwise::FUNCTIONS),
        ("products, sums and statistics", shapes::REDUCTIONS),
        ("shapes and sources", shapes::FUNCTIONS),
        ("images: x is [n, height, width, channels]", images::FUNCTIONS),
        ("normalisation, noise and losses", losses::FUNCTIONS),
    ]
}

fn all() -> impl Iterator<Item = &'static Function> {
    families().into_iter().flat_map(|(_, functions)| functions)
}

/// Every name by which a function is found.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    all().flat_map(|f| std::iter::once(f.name).chain(f.aliases.iter().copied()))
}

/// A function by its name. `max` and `min` of one operand are those of its elements.
pub(super) fn find(name: &str, operands: usize) -> Option<&'static Function> {
    let name = match name {
        "max" if operands == 1 => "reduce_max",
        "min" if operands == 1 => "reduce_min",
        name => name,
    };
    all().find(|f| f.name == name || f.aliases.contains(&name))
}

/// The function of a sign.
pub(super) fn of_operator(sign: &str) -> &'static Function {
    let name = match sign {
        "+" => "add",
        "-" => "sub",
        "*" => "mul",
        "/" => "div",
        "^" => "pow",
        "@" => "matmul",
        "<" => "lt",
        "<=" => "le",
        ">" => "gt",
        ">=" => "ge",
        "==" => "eq",
        "!=" => "ne",
        name => name,
    };
    all().find(|f| f.name == name).unwrap_or(&pointwise::FUNCTIONS[0])
}

const fn attribute(name: &'static str, default: &'static str) -> Attribute {
    Attribute { name, default }
}

/// Extents beyond this are a slip; it keeps arithmetic with them far from overflow.
const MOST: f64 = 1e9;

impl Call<'_> {
    fn setting(&self, name: &'static str) -> Option<&Setting> {
        self.given.iter().find(|g| g.name == name).map(|g| &g.setting)
    }

    fn wrong<T>(&self, name: &'static str, expected: &str) -> Result<T, Problem> {
        let found = match self.setting(name) {
            Some(Setting::Number(number)) => number.to_string(),
            Some(Setting::List(list)) => format!("{list:?}"),
            Some(Setting::Word(word)) => format!("`{word}`"),
            None => "nothing".into(),
        };
        Err(Problem { attribute: Some(name), message: format!("{name}: found {found}, expected {expected}") })
    }

    fn shape(&self, operand: usize) -> Shape {
        self.g.shape(self.x[operand])
    }

    fn rank(&self) -> usize {
        self.shape(0).rank()
    }

    fn real(&self, name: &'static str, default: f64) -> Result<f64, Problem> {
        match self.setting(name) {
            None => Ok(default),
            Some(Setting::Number(number)) => Ok(*number),
            Some(_) => self.wrong(name, "a number"),
        }
    }

    fn count(&self, name: &'static str, default: usize) -> Result<usize, Problem> {
        match self.setting(name) {
            None => Ok(default),
            Some(Setting::Number(number)) if whole(*number) => Ok(*number as usize),
            Some(_) => self.wrong(name, "a whole number from 0"),
        }
    }

    fn truth(&self, name: &'static str) -> Result<bool, Problem> {
        match self.setting(name) {
            None => Ok(false),
            Some(Setting::Word(word)) if matches!(word.as_str(), "true" | "True") => Ok(true),
            Some(Setting::Word(word)) if matches!(word.as_str(), "false" | "False") => Ok(false),
            Some(Setting::Number(number)) if *number == 0.0 || *number == 1.0 => Ok(*number == 1.0),
            Some(_) => self.wrong(name, "true or false"),
        }
    }

    /// Whole numbers from 0; one number is a list of one.
    fn counts(&self, name: &'static str) -> Result<Option<Vec<usize>>, Problem> {
        let list = match self.setting(name) {
            None => return Ok(None),
            Some(Setting::Number(number)) => vec![*number],
            Some(Setting::List(list)) => list.clone(),
            Some(_) => return self.wrong(name, "whole numbers from 0, such as [2, 3]"),
        };
        if list.iter().all(|&number| whole(number)) {
            Ok(Some(list.into_iter().map(|number| number as usize).collect()))
        } else {
            self.wrong(name, "whole numbers from 0, such as [2, 3]")
        }
    }

    fn place(&self, name: &'static str, axis: f64) -> Result<usize, Problem> {
        let rank = self.rank();
        let from_end = if axis < 0.0 { axis + rank as f64 } else { axis };
        if whole(from_end) && (from_end as usize) < rank {
            return Ok(from_end as usize);
        }
        self.wrong(
            name,
            &format!("axes of shape {}, 0 to {} or from the end -1", self.shape(0), rank.saturating_sub(1)),
        )
    }

    /// One axis of the first operand; negative ones count from the end.
    fn axis(&self, name: &'static str, default: isize) -> Result<usize, Problem> {
        match self.setting(name) {
            None => self.place(name, default as f64),
            Some(Setting::Number(axis)) => self.place(name, *axis),
            Some(Setting::List(axes)) if axes.len() == 1 => self.place(name, axes[0]),
            Some(_) => self.wrong(name, "one axis"),
        }
    }

    /// Axes of the first operand, ascending.
    fn axes(&self, name: &'static str, default: Vec<usize>) -> Result<Vec<usize>, Problem> {
        let mut axes = match self.setting(name) {
            None => default,
            Some(Setting::Word(word)) if word == "all" => (0..self.rank()).collect(),
            Some(Setting::Number(axis)) => vec![self.place(name, *axis)?],
            Some(Setting::List(axes)) => {
                axes.iter().map(|&axis| self.place(name, axis)).collect::<Result<_, _>>()?
            }
            Some(Setting::Word(_)) => return self.wrong(name, "axes or `all`"),
        };
        axes.sort_unstable();
        if axes.windows(2).any(|pair| pair[0] == pair[1]) {
            return self.wrong(name, "each axis once");
        }
        Ok(axes)
    }

    fn every_axis(&self) -> Vec<usize> {
        (0..self.rank()).collect()
    }

    /// One number for both sides, or height and width.
    fn pair(&self, name: &'static str, default: [usize; 2]) -> Result<[usize; 2], Problem> {
        match self.counts(name)?.as_deref() {
            None => Ok(default),
            Some(&[both]) => Ok([both, both]),
            Some(&[height, width]) => Ok([height, width]),
            Some(_) => self.wrong(name, "one number, or height and width"),
        }
    }

    /// Windows over the images of the first operand, or of the given extents.
    fn window(
        &self,
        kernel: [usize; 2],
        stride: [usize; 2],
        image: Option<[usize; 2]>,
    ) -> Result<Window, Problem> {
        let window = Window::new(kernel)
            .stride(self.pair("stride", stride)?)
            .dilation(if self.has("dilation") { self.pair("dilation", [1, 1])? } else { [1, 1] });
        let padding = match self.setting("padding") {
            Some(Setting::Word(word)) if word == "valid" => Padding::default(),
            Some(Setting::Word(word)) if word == "same" => {
                let shape = self.shape(0);
                return match (image, shape.get(1), shape.get(2)) {
                    (Some([height, width]), ..) => Ok(window.same(height, width)),
                    (None, Some(&height), Some(&width)) => Ok(window.same(height, width)),
                    _ => self.wrong("padding", "numbers for operands that are no images"),
                };
            }
            Some(Setting::Word(_)) => return self.wrong("padding", "numbers, `same` or `valid`"),
            _ => match self.counts("padding")?.as_deref() {
                None => Padding::default(),
                Some(&[all]) => Padding::all(all),
                Some(&[y, x]) => Padding { top: y, bottom: y, left: x, right: x },
                Some(&[top, bottom, left, right]) => Padding { top, bottom, left, right },
                Some(_) => return self.wrong("padding", "1, 2 or 4 numbers: top, bottom, left, right"),
            },
        };
        Ok(window.padding(padding))
    }

    fn has(&self, name: &str) -> bool {
        self.given.iter().any(|g| g.name == name)
    }

    /// The kernel's extents, from weights `[kh, kw, ...]`.
    fn kernel_of(&self, operand: usize) -> Result<[usize; 2], Problem> {
        match self.shape(operand)[..] {
            [height, width, _, _] => Ok([height, width]),
            _ => {
                let message = format!(
                    "found weights of shape {}, expected [kernel height, kernel width, channels in / groups, channels out]",
                    self.shape(operand)
                );
                Err(Problem { attribute: None, message })
            }
        }
    }
}

fn whole(number: f64) -> bool {
    (0.0..=MOST).contains(&number) && number.fract() == 0.0
}
