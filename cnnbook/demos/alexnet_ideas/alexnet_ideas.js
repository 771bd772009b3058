// AlexnetIdeas. The arithmetic first: exported, and compared with torch.

/** Activation functions and their derivatives. At 0 ReLU's is 0, as in torch. */
export const functions = {
  relu: { f: (x) => Math.max(0, x), d: (x) => (x > 0 ? 1 : 0) },
  tanh: { f: Math.tanh, d: (x) => 1 - Math.tanh(x) ** 2 },
  sigmoid: { f: (x) => 1 / (1 + Math.exp(-x)), d: (x) => { const s = 1 / (1 + Math.exp(-x)); return s * (1 - s); } },
};

/** A chain of units, each f(weight × what came before): [{ input, sum, output, factor, gradient }]; gradient is d end / d input. */
export function chain(name, start, weights) {
  const { f, d } = functions[name];
  let value = start;
  const units = weights.map((weight) => { const input = value, sum = weight * input; value = f(sum); return { input, sum, output: value, factor: weight * d(sum) }; });
  let gradient = 1;
  for (const unit of units.slice().reverse()) { gradient *= unit.factor; unit.gradient = gradient; }
  return units;
}

/** Layers of the 2012 paper: input and output channels, kernel, side of the output. conv3 alone sees both GPUs. */
export const LAYERS = { conv2: [96, 256, 5, 27], conv3: [256, 384, 3, 13], conv4: [384, 384, 3, 13], conv5: [384, 256, 3, 13] };

/** Weights, biases and multiply-accumulates of a layer in some groups. */
export function cost([cin, cout, k, side], groups) {
  const weights = (cin / groups) * cout * k * k;
  return { weights, biases: cout, macs: weights * side * side };
}

/** Numbers in 0 … 1 from a seed (mulberry32): the same choice in every browser. */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let z = Math.imul(a ^ (a >>> 15), 1 | a);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
}

/** Which of n units stay: 1 or 0 each. */
export const mask = (n, p, seed) => { const next = random(seed + 1); return Array.from({ length: n }, () => (next() < p ? 0 : 1)); };

/** Dropout as torch does it: what stays is divided by 1 − p, so that the mean stays. */
export const dropped = (values, kept, p) => values.map((v, i) => (v * kept[i]) / (1 - p));

const NAMES = ["relu", "tanh", "sigmoid"];

export const torchLines = (view, s) => ({
  gradient: ["import torch", "", `x = torch.tensor(${literal(s.start)}, dtype=torch.float64, requires_grad=True)`, "y = x",
    `for w in ${pyList(s.weights)}:`, "    y = torch.sigmoid(w * y)  # torch.relu, torch.tanh", "y.backward()", "x.grad"],
  groups: ["from torch import nn", "", (([cin, cout, k]) => `nn.Conv2d(${cin}, ${cout}, ${k}, padding=${(k - 1) / 2}, groups=${s.layer === "conv3" ? 1 : 2})`)(LAYERS[s.layer])],
  dropout: ["import torch", "", `x = torch.tensor(${pyList(s.values)}).float()`,
    ...(s.training ? [`kept = torch.tensor(${pyList(mask(s.values.length, s.p, s.seed))})  # torch.rand(10) >= ${s.p}`, `y = x * kept / (1 - ${s.p})  # F.dropout(x, ${s.p})`] : [`y = x  # F.dropout(x, ${s.p}, training=False)`])],
})[view].join("\n");

export default demo({
  name: "alexnet_ideas",
  state: ["view", "weights", "start", "layer", "values", "p", "seed", "training"],
  valid: (s) => ["gradient", "groups", "dropout"].includes(s.view) && shaped(s.weights, 8) && shaped(s.values, 10) && s.layer in LAYERS
    && Math.abs(s.start) <= 3 && s.p >= 0 && s.p <= 0.9 && within(s.seed, 0, 9999),

  render(ui) {
    const view = () => ui.get("view"), weights = () => ui.get("weights");
    const chains = ui.derive(() => Object.fromEntries(NAMES.map((n) => [n, chain(n, ui.get("start"), weights())])));
    // Thirds and such mean nothing here: three digits, and powers of ten for what is nearly gone.
    const small = (v) => (v !== 0 && Math.abs(v) < 0.001 ? v.toExponential(0) : String(Number(v.toFixed(3)))).replaceAll("-", "−");

    // gradient
    const put = (key, at, value) => ui.set({ [key]: replaced(ui.get(key), value, at) });
    const ws = grid(ui, { tone: "kernel", label: () => t("weightGrid"), size: () => [1, 8], cell: (_, c) => short(weights()[c]),
      describe: (_, c) => t("weightCell", { n: c + 1, value: weights()[c] }), edit: (_, c, value) => put("weights", c, value) });
    const sayUnit = (n, c) => { const u = chains()[n][c]; return t("unitCell", { f: t(n), n: c + 1, sum: num(u.sum, 3), factor: small(u.factor), gradient: small(u.gradient) }); };
    const slopes = NAMES.map((n) => block(ui, t(n), grid(ui, { tone: n === "relu" ? "output" : "channel", label: () => t("gradientGrid", { f: t(n) }), size: () => [1, 8],
      cell: (_, c) => ({ text: small(chains()[n][c].gradient), marks: chains()[n][c].gradient === 0 ? "faint" : "done" }), describe: (_, c) => sayUnit(n, c) })));
    const sayGradient = () => t("reaches", { relu: small(chains().relu[0].gradient), tanh: small(chains().tanh[0].gradient), sigmoid: small(chains().sigmoid[0].gradient) });

    // groups
    const layer = () => LAYERS[ui.get("layer")];
    const million = (v) => t("million", { v: num(v / 1e6, v < 1e7 ? 2 : 0) });
    const counts = (key) => bars(ui, () => [1, 2].map((g) => ({ label: t("groupCount", { g }), parts: [["kernel", cost(layer(), g)[key]]], text: million(cost(layer(), g)[key]), faint: (ui.get("layer") === "conv3") === (g === 2) })));
    const half = (n) => [...Array(2).keys()].map((i) => [i, n / 2]);
    const links = grid(ui, { tone: "kernel", label: () => t("linkGrid"), size: () => [2, 2],
      cell: (o, i) => ({ text: o === i || ui.get("layer") === "conv3" ? "×" : "", marks: o === i || ui.get("layer") === "conv3" ? "done" : "faint" }),
      describe: (o, i) => t(o === i || ui.get("layer") === "conv3" ? "joined" : "apart", { o: o + 1, i: i + 1, out: half(layer()[1])[o][1], inn: half(layer()[0])[i][1] }) });
    const sayGroups = () => (ui.get("layer") === "conv3" ? t("both") : t("halved", { layer: ui.get("layer"), one: cost(layer(), 1).weights, two: cost(layer(), 2).weights }));

    // dropout
    const values = () => ui.get("values"), p = () => ui.get("p"), training = () => ui.get("training");
    const kept = ui.derive(() => (training() ? mask(10, p(), ui.get("seed")) : Array(10).fill(1)));
    const after = ui.derive(() => (training() ? dropped(values(), kept(), p()) : values()));
    const total = (list) => list.reduce((s, v) => s + v, 0);
    const ins = grid(ui, { tone: "input", label: () => t("valueGrid"), size: () => [1, 10], cell: (_, c) => short(values()[c]),
      describe: (_, c) => t("valueCell", { n: c + 1, value: values()[c] }), edit: (_, c, value) => put("values", c, value) });
    const outs = grid(ui, { tone: "output", label: () => t("afterGrid"), size: () => [1, 10],
      cell: (_, c) => ({ text: short(after()[c]), marks: kept()[c] ? "done" : "out faint" }),
      describe: (_, c) => t(kept()[c] ? "staysCell" : "goneCell", { n: c + 1, value: num(after()[c], 2) }) });
    const average = ui.derive(() => { let sum = 0; for (let s = 0; s < 1000; s++) sum += total(dropped(values(), mask(10, p(), s), p())); return sum / 1000; });
    const sayDropout = () => (training() ? t("dropped", { n: 10 - total(kept()), scale: num(1 / (1 - p()), 2), before: num(total(values()), 2), after: num(total(after()), 2), mean: num(average(), 1) }) : t("kept"));

    const pages = { gradient: sayGradient, groups: sayGroups, dropout: sayDropout };
    const part = (name, ...kids) => showIf(ui, () => view() === name, h("div", { class: "cnn-part" }, kids));
    return [
      choice(ui, { label: t("view"), options: [["gradient", t("gradientView")], ["groups", t("groupsView")], ["dropout", t("dropoutView")]], value: view, choose: (v) => { ui.set({ view: v }); ui.say(pages[v]()); } }),
      part("gradient", row(slider(ui, { key: "start", label: t("start"), min: -3, max: 3, step: 0.5, say: sayGradient })), block(ui, t("weight"), ws), text(ui, () => t("gradientTitle"), "cnn-note"), ...slopes),
      part("groups", choice(ui, { label: t("layer"), options: Object.keys(LAYERS).map((l) => [l, l]), value: () => ui.get("layer"), choose: (l) => { ui.set({ layer: l }); ui.say(sayGroups()); } }),
        row(block(ui, t("links"), links), block(ui, t("weightsTitle"), counts("weights")), block(ui, t("macsTitle"), counts("macs")))),
      part("dropout", row(slider(ui, { key: "p", label: "p", min: 0, max: 0.9, step: 0.1, format: (v) => String(Math.round(10 * v) / 10), say: sayDropout }), toggle(ui, { key: "training", label: t("training") }),
        button(t("again"), () => { ui.set({ seed: (ui.get("seed") + 1) % 10000 }); ui.say(sayDropout()); })), block(ui, t("value"), ins), block(ui, t("after"), outs)),
      sentence(ui, () => pages[view()]()),
      code(ui, () => torchLines(view(), { start: ui.get("start"), weights: weights(), layer: ui.get("layer"), values: values(), p: Math.round(10 * p()) / 10, seed: ui.get("seed"), training: training() })),
    ];
  },
});
