//! Chains of a finished tape into its fused instructions: the running means and the adaptive step of optimisers.
//!
//! | chain | becomes |
//! |---|---|
//! | `a x + b y` | [`Fused::Mean`] |
//! | `a x + b (y y)` | [`Fused::MeanSquare`] |
//! | `x - a (y / (sqrt(z) + b))` | [`Fused::AdaptiveStep`] |
//!
//! with scalars a, b and values of one extent. The bits stay the same.
//!
//! Differences of products become fused multiply-adds: `x y - c` is `x y + (-c)` and `c - r y` is `(-r) y + c`, where the
//! number turned round is one per row or column, so that it costs next to nothing. This rounds once instead of twice.
//!
//! An inner link must have no other user.

use bratt_kernels::tape::{Binary, Extent, Fused, Instr, Unary, Val};

/// Rewrites `instrs`, whose values have the given extents.
pub(super) fn fuse_chains(instrs: &mut Vec<Instr>, extents: &[Extent]) {
    let mut extents = extents.to_vec();
    contract_differences(instrs, &mut extents);
    let chain = Chains::new(instrs, &extents);
    for (i, instr) in instrs.iter_mut().enumerate() {
        if let Some(fused) = chain.running_mean(i).or_else(|| chain.adaptive_step(i)) {
            *instr = fused;
        }
    }
    drop_unused(instrs);
}

/// Rewrites differences of products; the products stay behind without users.
fn contract_differences(instrs: &mut Vec<Instr>, extents: &mut Vec<Extent>) {
    let chain = Chains::new(instrs, extents);
    let (mut rewritten, mut widths) = (Vec::new(), Vec::new());
    let mut renamed: Vec<Val> = Vec::new();
    for (i, &instr) in chain.instrs.iter().enumerate() {
        let instr = match chain.difference(i) {
            Some((turned, rest)) => {
                rewritten.push(Instr::Unary(Unary::Neg, renamed[turned.0 as usize]));
                widths.push(chain.extent(turned));
                let turned = Val((rewritten.len() - 1) as u16);
                let [x, y, c] = rest.map(|v| v.map_or(turned, |v| renamed[v.0 as usize]));
                Instr::MulAdd(x, y, c)
            }
            None => {
                let mut instr = instr;
                for_arguments(&mut instr, |v| *v = renamed[v.0 as usize]);
                instr
            }
        };
        renamed.push(Val(rewritten.len() as u16));
        rewritten.push(instr);
        widths.push(extents[i]);
    }
    (*instrs, *extents) = (rewritten, widths);
}

struct Chains<'a> {
    instrs: Vec<Instr>,
    extents: &'a [Extent],
    uses: Vec<usize>,
}

impl<'a> Chains<'a> {
    fn new(instrs: &[Instr], extents: &'a [Extent]) -> Chains<'a> {
        let mut uses = vec![0; instrs.len()];
        for instr in instrs {
            for_arguments(&mut instr.clone(), |v| uses[v.0 as usize] += 1);
        }
        Chains { instrs: instrs.to_vec(), extents, uses }
    }

    /// A difference of which one side is a product: the value to turn round, and the arguments of the multiply-add, in
    /// which it takes the empty place.
    fn difference(&self, at: usize) -> Option<(Val, [Option<Val>; 3])> {
        let Instr::Binary(Binary::Sub, a, b) = self.instrs[at] else { return None };
        let small = |v: Val| matches!(self.extent(v), Extent::PerRow | Extent::PerCol);
        let product = |v: Val| self.link(v, Binary::Mul).filter(|_| self.extent(v) == Extent::Full);
        if let Some([x, y]) = product(a).filter(|_| small(b)) {
            return Some((b, [Some(x), Some(y), None]));
        }
        let [x, y] = product(b)?;
        let (turned, other) = if small(x) { (x, y) } else { (y, x) };
        small(turned).then_some((turned, [None, Some(other), Some(a)]))
    }

    fn extent(&self, v: Val) -> Extent {
        self.extents[v.0 as usize]
    }

    /// The arguments of `v`, if it is this function and has one user.
    fn link(&self, v: Val, function: Binary) -> Option<[Val; 2]> {
        match self.instrs[v.0 as usize] {
            Instr::Binary(f, a, b) if f == function && self.uses[v.0 as usize] == 1 => Some([a, b]),
            _ => None,
        }
    }

    /// A pair as (scalar, value of the given extent).
    fn scaled(&self, pair: [Val; 2], extent: Extent) -> Option<(Val, Val)> {
        let [a, b] = pair;
        let fits = |s: Val, x: Val| self.extent(s) == Extent::Scalar && self.extent(x) == extent;
        if fits(a, b) {
            Some((a, b))
        } else if fits(b, a) {
            Some((b, a))
        } else {
            None
        }
    }

    fn running_mean(&self, at: usize) -> Option<Instr> {
        let extent = self.extents[at];
        let Instr::MulAdd(p, q, c) = self.instrs[at] else { return None };
        if extent == Extent::Scalar {
            return None;
        }
        let (a, x) = self.scaled([p, q], extent)?;
        let (b, y) = self.scaled(self.link(c, Binary::Mul)?, extent)?;
        Some(match self.link(y, Binary::Mul) {
            Some([u, v]) if u == v => Instr::Fused(Fused::MeanSquare, [x, u, u, a, b]),
            _ => Instr::Fused(Fused::Mean, [x, y, y, a, b]),
        })
    }

    fn adaptive_step(&self, at: usize) -> Option<Instr> {
        let extent = self.extents[at];
        let Instr::Binary(Binary::Sub, x, step) = self.instrs[at] else { return None };
        if extent == Extent::Scalar || self.extent(x) != extent {
            return None;
        }
        let (a, quotient) = self.scaled(self.link(step, Binary::Mul)?, extent)?;
        let [y, size] = self.link(quotient, Binary::Div)?;
        let (b, root) = self.scaled(self.link(size, Binary::Add)?, extent)?;
        let Instr::Unary(Unary::Sqrt, z) = self.instrs[root.0 as usize] else { return None };
        let alike = self.uses[root.0 as usize] == 1 && self.extent(y) == extent && self.extent(z) == extent;
        alike.then_some(Instr::Fused(Fused::AdaptiveStep, [x, y, z, a, b]))
    }
}

/// Removes instructions whose value nobody uses, and renames the others.
fn drop_unused(instrs: &mut Vec<Instr>) {
    let mut used = vec![false; instrs.len()];
    for i in (0..instrs.len()).rev() {
        used[i] |= matches!(instrs[i], Instr::Store(..));
        if used[i] {
            for_arguments(&mut instrs[i].clone(), |v| used[v.0 as usize] = true);
        }
    }
    let mut renamed = vec![Val(0); instrs.len()];
    let mut kept = Vec::new();
    for (i, mut instr) in std::mem::take(instrs).into_iter().enumerate().filter(|(i, _)| used[*i]) {
        for_arguments(&mut instr, |v| *v = renamed[v.0 as usize]);
        renamed[i] = Val(kept.len() as u16);
        kept.push(instr);
    }
    *instrs = kept;
}

fn for_arguments(instr: &mut Instr, mut f: impl FnMut(&mut Val)) {
    match instr {
        Instr::Acc
        | Instr::Load(_)
        | Instr::Const(_)
        | Instr::RowIndex
        | Instr::ColIndex
        | Instr::Uniform { .. } => {}
        Instr::Unary(_, a)
        | Instr::ReduceCols(_, a)
        | Instr::ReduceRows(_, a)
        | Instr::ReduceAll(_, a)
        | Instr::Store(_, a) => {
            f(a);
        }
        Instr::Binary(_, a, b) => [a, b].into_iter().for_each(f),
        Instr::MulAdd(a, b, c) | Instr::Select(a, b, c) => [a, b, c].into_iter().for_each(f),
        Instr::Fused(_, args) => args.iter_mut().for_each(f),
    }
}
