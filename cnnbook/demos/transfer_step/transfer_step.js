// TransferStep. The arithmetic first: exported, and compared with torch's SGD for thousands of random settings.

/** What every layer of the chain gives: ReLU after all but the last. The first entry is the input. */
export function activations(weights, x) {
  const a = [x];
  weights.forEach((w, i) => { const z = w * a[i]; a.push(i < weights.length - 1 ? Math.max(0, z) : z); });
  return a;
}

/** The gradient of half the squared error with respect to each weight. */
export function gradients(weights, x, target) {
  const a = activations(weights, x), n = weights.length, g = Array(n).fill(0);
  let flow = a[n] - target; // what comes back to the output of layer i
  for (let i = n - 1; i >= 0; i--) {
    if (i < n - 1 && a[i + 1] <= 0) flow = 0; // a ReLU that is shut lets nothing through
    g[i] = flow * a[i];
    flow *= weights[i];
  }
  return g;
}

/** The learning rate of each layer; null where it is frozen. */
export const rates = (n, frozen, head, backbone, decay) => Array.from({ length: n }, (_, i) =>
  (i < frozen ? null : i === n - 1 ? head : backbone * decay ** (n - 2 - i)));

/** The weights before the first step and after each of `steps`. */
export function run(weights, x, target, lrs, steps) {
  const path = [weights];
  for (let s = 0; s < steps; s++) {
    const now = path[s], g = gradients(now, x, target);
    path.push(now.map((w, i) => (lrs[i] === null ? w : w - lrs[i] * g[i])));
  }
  return path;
}

/** Half the squared error. */
export const loss = (weights, x, target) => (activations(weights, x)[weights.length] - target) ** 2 / 2;

/** The PyTorch lines that make the same steps. */
export function torchLines(weights, x, target, frozen, head, backbone, decay, steps) {
  const learning = Array.from({ length: weights.length - frozen }, (_, i) => i + frozen), lrs = rates(weights.length, frozen, head, backbone, decay);
  return ["import torch", "",
    `w = [torch.tensor(v, dtype=torch.float64) for v in ${JSON.stringify(weights).replaceAll(",", ", ")}]`,
    `lrs = {${learning.map((i) => `${i}: ${Number(lrs[i].toPrecision(12))}`).join(", ")}}`,
    "for i in lrs:", "    w[i].requires_grad_()",
    'groups = [{"params": [w[i]], "lr": lr} for i, lr in lrs.items()]', "optimizer = torch.optim.SGD(groups)",
    `for _ in range(${steps}):`, `    y = ${x}`, "    for i in range(3):", "        y = (w[i] * y).relu()", "    y = w[3] * y",
    "    optimizer.zero_grad()", `    ((y - ${target}) ** 2 / 2).backward()`, "    optimizer.step()"].join("\n");
}

const STEPS = 20, N = 4;
const HEAD = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5], DECAY = [0.1, 0.2, 0.3, 0.5, 0.7, 1];
const between = (v, low, high) => typeof v === "number" && v >= low && v <= high;

export default demo({
  name: "transfer_step",
  state: ["input", "target", "weights", "frozen", "head_lr", "backbone_lr", "decay", "step"],
  valid: (s) => between(s.input, -4, 4) && between(s.target, -4, 4) && shaped(s.weights, N) && within(s.frozen, 0, N - 1)
    && between(s.head_lr, 0.01, 0.5) && between(s.backbone_lr, 0.01, 0.5) && between(s.decay, 0.1, 1) && within(s.step, 0, STEPS),

  render(ui) {
    const x = () => ui.get("input"), target = () => ui.get("target"), at = () => position(ui, "step", STEPS + 1), frozen = () => ui.get("frozen");
    const lrs = ui.derive(() => rates(N, frozen(), ui.get("head_lr"), ui.get("backbone_lr"), ui.get("decay")));
    const path = ui.derive(() => run(ui.get("weights"), x(), target(), lrs(), STEPS + 1));
    const now = () => path()[at()];
    const slope = ui.derive(() => gradients(now(), x(), target()));
    const layer = (i) => t(["layer1", "layer2", "layer3", "head"][i]);
    const shut = (i) => lrs()[i] === null;
    const line = (key, tone, value, marks = () => "") => block(ui, t(key), grid(ui, {
      tone, label: () => t(key), size: () => [1, N],
      cell: (_, i) => ({ text: value(i) === null ? "–" : key === "rate" ? String(Number(value(i).toPrecision(3))) : short(value(i)), marks: `${marks(i)}${shut(i) ? " faint" : ""}` }),
      describe: (_, i) => (value(i) === null ? t("none", { layer: layer(i), name: t(key) }) : t("cell", { layer: layer(i), name: t(key), value: value(i) })),
    }));
    const start = block(ui, t("start"), grid(ui, {
      tone: "kernel", label: () => `${t("start")} ${t("editable")}`, size: () => [1, N], cell: (_, i) => short(ui.get("weights")[i]),
      describe: (_, i) => t("cell", { layer: layer(i), name: t("start"), value: ui.get("weights")[i] }),
      edit: (_, i, value) => ui.set({ weights: ui.get("weights").map((w, j) => (j === i ? value : w)) }),
    }));
    const names = h("div", { class: "cnn-names", "aria-hidden": "true" }, Array.from({ length: N }, (_, i) => {
      const node = h("span", {});
      ui.watch(() => { setText(node, layer(i)); setAttr(node, "class", shut(i) ? "cnn-ink-muted" : ""); });
      return node;
    }));
    const y = () => activations(now(), x())[N];
    const say = () => {
      if (!now().every((w) => Math.abs(w) < 1e6)) return t("diverged");
      const next = path()[at() + 1], i = N - 1;
      return `${t("sentence", { step: at(), y: num(y()), target: num(target()), loss: num(loss(now(), x(), target())) })} `
        + t("example", { layer: layer(i), old: num(now()[i]), lr: num(lrs()[i]), slope: num(slope()[i]), next: num(next[i]) });
    };
    const moved = bars(ui, () => now().map((w, i) => ({
      label: layer(i), parts: [[i === N - 1 ? "output" : "kernel", Math.abs(w - ui.get("weights")[i])]],
      text: shut(i) ? t("stays") : num(Math.abs(w - ui.get("weights")[i]), 4), faint: shut(i),
    })));

    return [
      row(slider(ui, { key: "frozen", label: t("frozen"), min: 0, max: N - 1, say }), slider(ui, { key: "head_lr", label: t("headLr"), values: HEAD, say }),
        showIf(ui, () => frozen() < N - 1, slider(ui, { key: "backbone_lr", label: t("backboneLr"), values: HEAD, say })),
        showIf(ui, () => frozen() < N - 2, slider(ui, { key: "decay", label: t("decay"), values: DECAY, say }))),
      h("div", { class: "cnn-chain" }, names, start, line("weight", "kernel", (i) => now()[i]), line("slope", "current", (i) => (shut(i) ? null : slope()[i])),
        line("rate", "channel", (i) => lrs()[i]), line("after", "output", (i) => path()[at() + 1][i], (i) => (shut(i) ? "" : "done"))),
      stepper(ui, { count: () => STEPS + 1, say, interval: 500 }),
      sentence(ui, say),
      block(ui, t("moved"), moved),
      code(ui, () => torchLines(ui.get("weights"), x(), target(), frozen(), ui.get("head_lr"), ui.get("backbone_lr"), ui.get("decay"), at())),
    ];
  },
});
