// Squeeze and excite. The arithmetic first: exported, and compared with torch and with the models.

/** The mean of each map; `maps` are C lists of numbers. */
export const squeeze = (maps) => maps.map((map) => map.reduce((s, v) => s + v, 0) / map.length);

/** Two small layers: means (C) to hidden (C / r) by ReLU, to gates (C) by the sigmoid. */
export function excite(means, { down, downBias, up, upBias }) {
  const layer = (w, bias, v) => w.map((row, i) => row.reduce((s, x, j) => s + x * v[j], bias[i]));
  const hidden = layer(down, downBias, means).map((v) => Math.max(0, v));
  const before = layer(up, upBias, hidden);
  return { hidden, before, gates: before.map((v) => 1 / (1 + Math.exp(-v))) };
}

/** Weights and biases of one squeeze-and-excitation on C channels. */
export function cost(channels, ratio) {
  const hidden = Math.max(1, Math.floor(channels / ratio));
  return { hidden, weights: 2 * channels * hidden, biases: hidden + channels };
}

/** Blocks and channels of the stages of ResNet-50. */
export const STAGES = [[3, 256], [4, 512], [6, 1024], [3, 2048]];

/** What the excitations add to ResNet-50, stage by stage, weights and biases. */
export const added = (ratio) => STAGES.map(([blocks, channels]) => { const c = cost(channels, ratio); return blocks * (c.weights + c.biases); });

/** The Python lines that do the same with the stored network. */
export const gateLines = (digit, channel, strength) => ["import torch", "from cnnbook.demos import SqueezeExcite", "",
  `demo = SqueezeExcite(digit=${digit}, channel=${channel}, strength=${strength})`, "x = demo.maps_of_digit  # 16 × 8 × 8",
  "net = {key: torch.tensor(value).double() for key, value in demo.network.items()}", "z = x.mean(dim=(1, 2))",
  `hidden = (net["down"] @ z + net["downBias"]).relu()`, `gates = (net["up"] @ hidden + net["upBias"]).sigmoid()`, "y = x * gates[:, None, None]"].join("\n");

/** The Python lines that count. */
export const costLines = (ratio) => ["from cnnbook.counting import count_parameters", "from cnnbook.models import resnet50, se_resnet50", "",
  `count_parameters(se_resnet50(reduction=${ratio})) - count_parameters(resnet50())`].join("\n");

const C = 16, SIDE = 8, PIXELS = 16, STRENGTHS = [0, 0.5, 1, 2, 4], RATIOS = [2, 4, 8, 16, 32, 64];

export default demo({
  name: "squeeze_excite",
  state: ["view", "digit", "channel", "strength", "ratio"],
  valid: (s) => ["gates", "cost"].includes(s.view) && within(s.digit, 0, 9)
    && within(s.channel, 0, C - 1) && STRENGTHS.includes(s.strength) && RATIOS.includes(s.ratio),

  render(ui) {
    const gatesView = () => ui.get("view") === "gates";
    // ---- gates on real maps
    const digit = () => ui.get("digit"), channel = () => ui.get("channel"), strength = () => ui.get("strength");
    const stored = bytes(ui.get("maps")), pixels = bytes(ui.get("pixels")), { scale, ...net } = ui.get("network");
    const cut = (all, size, i) => Array.from(all.subarray(i * size, (i + 1) * size));
    const raw = ui.derive(() => Array.from({ length: C }, (_, c) => cut(stored, SIDE * SIDE, digit() * C + c).map((v) => v * scale)));
    const maps = ui.derive(() => raw().map((map, c) => (c === channel() ? map.map((v) => v * strength()) : map)));
    const means = ui.derive(() => squeeze(maps()));
    const result = ui.derive(() => excite(means(), net));
    const usual = ui.derive(() => excite(squeeze(raw()), net).gates);
    const before = ui.derive(() => maps().map((map) => toRows(map, SIDE)));
    const after = ui.derive(() => maps().map((map, c) => toRows(map.map((v) => v * result().gates[c]), SIDE)));
    const image = ui.derive(() => toRows(cut(pixels, PIXELS * PIXELS, digit()), PIXELS));
    const brightest = ui.derive(() => Math.max(...maps().flat(), 1e-9));
    const sayGate = () => {
      const moved = result().gates.filter((g, c) => Math.abs(g - usual()[c]) >= 0.005).length;
      return t("gateSentence", { c: channel() + 1, mean: num(means()[channel()]), gate: num(result().gates[channel()]) })
        + (strength() === 1 ? "" : ` ${t("movedSentence", { c: channel() + 1, strength: strength(), moved })}`);
    };
    const strip = (title, list, name) => block(ui, title, h("div", { class: "cnn-maps" }, Array.from({ length: C }, (_, c) =>
      h("div", { class: "cnn-map" }, picture(ui, { label: () => t(name, { c: c + 1 }), tone: "channel", image: () => list()[c], range: () => [0, brightest()],
        spot: () => (c === channel() ? { row: 0, col: 0, span: SIDE } : null) })))));
    const vector = (title, tone, list, across, choose) => block(ui, title, grid(ui, {
      tone, label: () => title, size: () => [list().length / across, across], choose: choose && ((r, c) => { ui.set({ channel: r * across + c }); ui.say(sayGate()); }),
      cell: (r, c) => ({ text: num(list()[r * across + c], 2), marks: choose && r * across + c === channel() ? "current" : "" }),
      describe: (r, c) => t(choose ? "channelCell" : "hiddenCell", { title, c: r * across + c + 1, value: num(list()[r * across + c]) }),
    }));
    // formulas of their own, since a line breaks only between them
    const sum = text(ui, () => [t("arithmetic", { c: channel() + 1 }),
      net.up[channel()].map((w, i) => [" ", math.show(...(i ? ["+"] : []), math.tone("kernel", braced(w, 2)), "×", math.tone("channel", num(result().hidden[i], 2)))]),
      " ", math.show("+", braced(net.upBias[channel()], 2)), " ", math.show("=", num(result().before[channel()])), ", ",
      math.show("σ(", num(result().before[channel()]), ")", "=", math.tone("output", num(result().gates[channel()])))]);
    const gatesPart = [
      choice(ui, { label: t("digit"), options: Array.from({ length: 10 }, (_, d) => [d, String(d)]), value: digit, choose: (d) => { ui.set({ digit: d }); ui.say(sayGate()); } }),
      row(block(ui, t("input"), h("div", { class: "cnn-digit" }, picture(ui, { label: () => t("digitOf", { d: digit() }), image }))), strip(t("mapsBefore"), before, "mapBefore")),
      row(slider(ui, { key: "channel", label: t("channel"), min: 0, max: C - 1, format: (c) => num(c + 1), say: sayGate }),
        slider(ui, { key: "strength", label: t("strength"), values: STRENGTHS, format: (v) => t("times", { v }), say: sayGate })),
      row(vector(t("means"), "channel", means, 8, true), vector(t("hidden"), "kernel", () => result().hidden, 4), vector(t("gates"), "output", () => result().gates, 8, true)),
      sum,
      sentence(ui, sayGate),
      strip(t("mapsAfter"), after, "mapAfter"),
    ];

    // ---- what it costs
    const ratio = () => ui.get("ratio");
    const parts = ui.derive(() => added(ratio()));
    const total = ui.derive(() => parts().reduce((s, v) => s + v, 0));
    const sayCost = () => t("costSentence", { r: ratio(), total: total(), percent: num((100 * total()) / ui.get("resnet50"), 1) });
    const costPart = [
      slider(ui, { key: "ratio", label: t("ratio"), values: RATIOS, say: sayCost }),
      block(ui, t("addedBy"), bars(ui, () => STAGES.map(([blocks, channels], i) => ({
        label: t("stage", { blocks, channels }), text: num(parts()[i]), parts: [["kernel", parts()[i]]] })), () => added(RATIOS[0])[3])),
      block(ui, t("byRatio"), bars(ui, () => RATIOS.map((r) => {
        const n = added(r).reduce((s, v) => s + v, 0);
        return { label: `r = ${r}`, text: num(n), parts: [["input", ui.get("resnet50")], ["kernel", n]], faint: r !== ratio() };
      })), legend(ui, () => [["input", "ResNet-50"], ["kernel", t("addedKey")]])),
      sentence(ui, sayCost),
    ];

    return [
      choice(ui, { label: t("view"), options: [["gates", t("viewGates")], ["cost", t("viewCost")]], value: () => ui.get("view"), choose: (view) => ui.set({ view }) }),
      showIf(ui, gatesView, h("div", { class: "cnn-part" }, gatesPart)),
      showIf(ui, () => !gatesView(), h("div", { class: "cnn-part" }, costPart)),
      code(ui, () => (gatesView() ? gateLines(digit(), channel(), strength()) : costLines(ratio()))),
    ];
  },
});
