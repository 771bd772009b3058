// ResidualDepth. The arithmetic first: exported, and compared with torch's autograd for thousands of random chains.

/**
 * A chain of numbers h → w·h, or with shortcuts h → h + w·h: the values from x on, the slope of each step, and
 * d(last value) / d(each value), which is the product of the slopes behind it.
 */
export function chain(x, weights, skip) {
  const slopes = weights.map((w) => (skip ? 1 + w : w));
  const values = [x], gradients = [1];
  for (const s of slopes) values.push(values.at(-1) * s);
  for (const s of [...slopes].reverse()) gradients.unshift(gradients[0] * s);
  return { values, slopes, gradients };
}

/** By what the gradient is multiplied on its way back through each block; the first factor belongs to the last block. */
export const factors = (norms) => norms.slice(0, -1).map((g, i) => g / norms[i + 1]).reverse();

/** The factor that, taken for each of the blocks, gives the whole change. */
export const perBlock = (norms, back) => (norms.at(-1 - back) / norms.at(-1)) ** (1 / Math.max(1, back));

/** Where a positive value stands between powers of ten: 0 at 10^low, 1 at 10^high. */
export const logPlace = (value, low, high) => Math.min(1, Math.max(0, (Math.log10(value) - low) / (high - low)));

/** The powers of ten around all values. */
export function decades(lists) {
  const all = lists.flat().filter((v) => v > 0).map(Math.log10);
  return [Math.floor(Math.min(...all)), Math.ceil(Math.max(...all))];
}

/** A number of any size in a few letters: 0.0061, 540, 2.3×10⁻²⁵. */
export function scientific(value) {
  if (value === 0) return "0";
  const power = Math.floor(Math.log10(Math.abs(value)));
  if (power >= -4 && power < 5) return num(Number(value.toPrecision(3)), Math.max(0, 2 - power));
  return `${num(Number((value / 10 ** power).toPrecision(2)), 1)}×10${raised(power)}`;
}
const raised = (n) => [...String(n)].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("");

/** The PyTorch lines of the chain. */
export const chainLines = (weights, skip) => ["import torch", "", "h = torch.tensor(1.0, requires_grad=True)", "values = [h]",
  `for w in ${pyList(weights)}:`, `    values.append(${skip ? "values[-1] + w * values[-1]" : "w * values[-1]"})`,
  "gradients = torch.autograd.grad(values[-1], values)"].join("\n");

/** The PyTorch lines that measure a network: `maps` are the outputs of its blocks. */
const MEASURE = ["import torch", "import torch.nn.functional as F", "", "maps = [F.relu(net.stem(x))]", "for block in net.blocks:",
  "    maps.append(block(maps[-1]))", "scores = net.fc(maps[-1].mean(dim=(2, 3)))", "loss = F.cross_entropy(scores, labels)",
  "norms = [g.norm() for g in torch.autograd.grad(loss, maps)]"].join("\n");

const LINKS = 6;
const DEPTHS = [4, 8, 16, 32, 64];
const GUESS = Math.log(10); // the loss of ten equally likely classes

export default demo({
  name: "residual_depth",
  state: ["view", "convolutions", "skip", "norm", "step", "weights"],
  valid: (s) => ["measured", "numbers"].includes(s.view) && DEPTHS.includes(s.convolutions) && Number.isInteger(s.step) && s.step >= 0 && shaped(s.weights, LINKS),

  render(ui) {
    const skip = () => ui.get("skip"), measured = () => ui.get("view") === "measured";
    const role = (s) => (s ? "output" : "input");
    const kind = (s) => t(s ? "withSkip" : "plain");

    // ---- measured networks
    const find = (s) => ui.get("networks").find((n) => n.skip === s && n.norm === ui.get("norm") && 2 * n.blocks === ui.get("convolutions"));
    const now = ui.derive(() => find(skip())), other = ui.derive(() => find(!skip()));
    const scale = ui.derive(() => decades(ui.get("networks").filter((n) => n.norm === ui.get("norm")).map((n) => n.gradients)));
    const back = () => position(ui, "step", now().gradients.length);
    const at = () => now().gradients.length - 1 - back(); // 0 is the stem's output

    const sayStep = () => {
      const values = { at: at(), back: back(), g: scientific(now().gradients[at()]), end: scientific(now().gradients.at(-1)), each: scientific(perBlock(now().gradients, back())) };
      return t(back() === 0 ? "atEnd" : at() === 0 ? "atStem" : "atBlock", values);
    };

    const line = () => svg("polyline", { fill: "none", "vector-effect": "non-scaling-stroke", "stroke-width": 2.5 });
    const here = line(), there = line();
    const mark = svg("line", { y1: 0, y2: 100, "vector-effect": "non-scaling-stroke", "stroke-width": 1.5, class: "cnn-mark" });
    const plot = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, mark, there, here);
    const ticks = h("div", { class: "cnn-ticks", "aria-hidden": "true" });
    const dot = h("span", { class: "cnn-dot", "aria-hidden": "true" });
    const points = (n) => n.gradients.map((g, i) => `${(100 * i) / n.blocks},${100 * (1 - logPlace(g, ...scale()))}`).join(" ");
    const chart = h("div", { class: "cnn-plot", role: "img" }, ticks, h("div", { class: "cnn-area" }, plot, dot));
    ui.watch(() => {
      const [low, high] = scale(), step = Math.max(1, Math.ceil((high - low) / 6));
      setAttr(here, "points", points(now())); setAttr(there, "points", points(other()));
      setAttr(here, "class", `cnn-line-${role(skip())}`); setAttr(there, "class", `cnn-line-${role(!skip())} faint`);
      const x = (100 * at()) / now().blocks, y = 100 * (1 - logPlace(now().gradients[at()], low, high));
      setAttr(mark, "x1", x); setAttr(mark, "x2", x);
      setAttr(dot, "style", `left:${x}%;top:${y}%;background:var(--${role(skip())})`);
      ticks.replaceChildren(...Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => low + i * step)
        .map((p) => h("span", { style: `top:${100 * (1 - (p - low) / (high - low))}%` }, `10${raised(p)}`)));
      setAttr(chart, "aria-label", `${t("chart", { kind: kind(skip()) })} ${sayStep()}`);
    });
    const product = text(ui, () => {
      const all = factors(now().gradients).slice(0, back()), tone = (f) => tinted("kernel", scientific(f));
      const shown = all.length > 6 ? [...all.slice(0, 3).map(tone), "…", ...all.slice(-2).map(tone)] : all.map(tone);
      return [h("span", {}, scientific(now().gradients.at(-1))), ...shown.flatMap((f) => [" × ", f]), " = ", h("strong", { class: `cnn-ink-${role(skip())}` }, scientific(now().gradients[at()]))];
    });
    const losses = bars(ui, () => [false, true].map((s) => {
      const n = find(s);
      return { label: kind(s), parts: [[role(s), n.loss]], text: t("lossText", { loss: num(n.loss, 3), accuracy: num(100 * n.accuracy, 1) }), faint: s !== skip() };
    }), () => 1.05 * GUESS);
    const sayLoss = () => t(now().loss > 0.9 * GUESS ? "stuck" : now().loss > 2 * Math.min(now().loss, other().loss) ? "worse" : "learned", { n: ui.get("convolutions"), kind: kind(skip()) });
    const sayNow = () => `${sayStep()} ${sayLoss()}`;

    const measuredPart = [
      row(slider(ui, { key: "convolutions", label: t("convolutions"), values: DEPTHS, say: sayNow }), toggle(ui, { key: "norm", label: t("norm") })),
      block(ui, t("plotTitle"), chart, h("div", { class: "cnn-ends", "aria-hidden": "true" }, h("span", {}, t("first")), h("span", {}, t("last"))),
        legend(ui, () => [[role(skip()), t("thick", { kind: kind(skip()) })], [role(!skip()), t("thin", { kind: kind(!skip()) })]])),
      stepper(ui, { count: () => now().gradients.length, say: sayStep, interval: 400 }),
      block(ui, t("product"), product),
      sentence(ui, sayStep),
      block(ui, t("lossTitle"), losses),
      text(ui, sayLoss),
    ];

    // ---- a chain of six numbers
    const links = ui.derive(() => chain(1, ui.get("weights"), skip()));
    const line1 = (label, tone, list, name, edit, marks = () => "") => block(ui, label, grid(ui, {
      tone, label: () => label, size: () => [1, list().length],
      cell: (r, c) => ({ text: short(list()[c]), marks: marks(c) }),
      describe: (r, c) => t(name, { i: c, j: c + 1, value: list()[c], w: ui.get("weights")[c] ?? 0 }),
      edit,
    }));
    const sayChain = () => t(Math.abs(links().gradients[0]) < 0.05 ? "chainGone" : Math.abs(links().gradients[0]) > 20 ? "chainBig" : "chainFine", { g: scientific(links().gradients[0]) });
    const chainPart = [
      h("div", { class: "cnn-lines" },
        line1(t("weights"), "kernel", () => ui.get("weights"), "weightCell", (r, c, value) => ui.set({ weights: ui.get("weights").map((w, i) => (i === c ? value : w)) })),
        line1(t("values"), "input", () => links().values, "valueCell"),
        line1(t("slopes"), "channel", () => links().slopes, "slopeCell"),
        line1(t("gradients"), "output", () => links().gradients, "gradientCell", undefined, (c) => (c === 0 ? "current" : ""))),
      text(ui, () => [links().slopes.map((s, i) => [i ? " × " : "", tinted("channel", braced(s))]), " = ", h("strong", { class: "cnn-ink-output" }, scientific(links().gradients[0]))]),
      sentence(ui, sayChain),
    ];

    return [
      row(
        choice(ui, { label: t("view"), options: [["measured", t("viewMeasured")], ["numbers", t("viewNumbers")]], value: () => ui.get("view"), choose: (view) => ui.set({ view }) }),
        choice(ui, { label: t("skip"), options: [[false, t("off")], [true, t("on")]], value: skip, choose: (s) => { ui.set({ skip: s }); ui.say(measured() ? sayNow() : sayChain()); } })),
      showIf(ui, measured, h("div", { class: "cnn-part" }, measuredPart)),
      showIf(ui, () => !measured(), h("div", { class: "cnn-part" }, chainPart)),
      code(ui, () => (measured() ? MEASURE : chainLines(ui.get("weights"), skip()))),
    ];
  },
});
