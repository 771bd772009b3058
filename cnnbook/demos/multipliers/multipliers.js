// Multipliers. The arithmetic first: exported, and compared with the counted networks for random settings.

const V1 = [[64, 1], [128, 2], [128, 1], [256, 2], [256, 1], [512, 2], ...Array(5).fill([512, 1]), [1024, 2], [1024, 1]];
const V2 = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]];

/** A whole number of channels, a half to the even side, as Python rounds. */
export function rounded(channels) {
  const low = Math.floor(channels), rest = channels - low;
  return Math.max(1, rest > 0.5 || (rest === 0.5 && low % 2) ? low + 1 : low);
}

/** The nearest multiple of 8, one more step up where that would lose over a tenth. */
export function byEight(channels) {
  const near = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return near >= 0.9 * channels ? near : near + 8;
}

/** The convolutions of a network: [part, input channels, output channels, kernel, stride, groups]; then its classifier. */
export function layersOf(version, width) {
  if (version === "v1") {
    const scaled = (c) => rounded(c * width), list = [["stem", 3, scaled(32), 3, 2, 1]];
    let c = scaled(32);
    for (const [out, stride] of V1) {
      list.push(["depthwise", c, c, 3, stride, c], ["pointwise", c, scaled(out), 1, 1, 1]);
      c = scaled(out);
    }
    return [...list, ["classifier", c, 1000, 1, 1, 1]];
  }
  let c = byEight(32 * width);
  const list = [["stem", 3, c, 3, 2, 1]];
  for (const [expansion, channels, repeats, first] of V2) {
    const out = byEight(channels * width);
    for (let i = 0; i < repeats; i++) {
      const inner = c * expansion;
      if (expansion > 1) list.push(["pointwise", c, inner, 1, 1, 1]);
      list.push(["depthwise", inner, inner, 3, i ? 1 : first, inner], ["pointwise", inner, out, 1, 1, 1]);
      c = out;
    }
  }
  const last = byEight(1280 * Math.max(1, width));
  return [...list, ["pointwise", c, last, 1, 1, 1], ["classifier", last, 1000, 1, 1, 1]];
}

/** Weights of one convolution, and multiply-accumulates where it gives a map of size × size. */
export function layerCost([, from, to, k, , groups], size) {
  const weights = (to * from * k * k) / groups;
  return { weights, macs: weights * size * size };
}

/** Parameters and multiply-accumulates of a network for pictures of `resolution` pixels: all, and in each part. */
export function costOf(version, width, resolution) {
  const total = { parameters: 0, macs: 0, parts: {} };
  let size = resolution;
  for (const layer of layersOf(version, width)) {
    const [part, , to, , stride] = layer;
    size = part === "classifier" ? 1 : Math.ceil(size / stride);
    const { weights, macs } = layerCost(layer, size);
    const parameters = weights + (part === "classifier" ? to : 2 * to); // a bias, or a scale and a shift
    const sum = (total.parts[part] ??= { parameters: 0, macs: 0 });
    for (const one of [total, sum]) { one.parameters += parameters; one.macs += macs; }
  }
  return total;
}

/** The Python lines that build the network and count it. */
export const countLines = (version, width, resolution) => ["from cnnbook.counting import count_macs, count_parameters",
  `from cnnbook.models import mobilenet_${version}`, "", `net = mobilenet_${version}(width_mult=${width})`,
  "parameters = count_parameters(net)", `macs = count_macs(net, (1, 3, ${resolution}, ${resolution}))`].join("\n");

const WIDTHS = [0.25, 0.35, 0.5, 0.75, 1, 1.4];
const SIZES = [96, 128, 160, 192, 224];
const PARTS = { stem: "input", depthwise: "kernel", pointwise: "output", classifier: "channel" };

export default demo({
  name: "multipliers",
  state: ["version", "width", "resolution"],
  valid: (s) => ["v1", "v2"].includes(s.version) && WIDTHS.includes(s.width) && SIZES.includes(s.resolution),

  render(ui) {
    const version = () => ui.get("version"), width = () => ui.get("width"), size = () => ui.get("resolution");
    const now = ui.derive(() => costOf(version(), width(), size()));
    const full = ui.derive(() => costOf(version(), 1, 224));
    const table = ui.derive(() => WIDTHS.map((w) => SIZES.map((s) => costOf(version(), w, s).macs)));
    const million = (v) => num(v / 1e6, 1);
    const percent = (key) => num((100 * now()[key]) / full()[key], 1);
    const say = () => t("says", { width: width(), size: size(), parameters: million(now().parameters), macs: million(now().macs), p: percent("parameters"), m: percent("macs") })
      + " " + (width() === 1 && size() === 224 ? t("whole") : t("rule", { square: num(100 * width() ** 2, 1), area: num((100 * size() ** 2) / 224 ** 2, 1), both: num((100 * (width() * size()) ** 2) / 224 ** 2, 1) }));

    const line = (key, width_, size_, faint) => {
      const cost = costOf(version(), width_, size_);
      return { label: t("form", { width: width_, size: size_ }), parts: Object.entries(PARTS).map(([part, role]) => [role, cost.parts[part][key]]), text: t("million", { n: million(cost[key]) }), faint };
    };
    const pair = (key) => bars(ui, () => [line(key, 1, 224, true), line(key, width(), size(), false)], () => Math.max(full()[key], now()[key]));
    const colours = legend(ui, () => Object.entries(PARTS).map(([part, role]) => [role, t(part)]));

    const map = grid(ui, {
      tone: "kernel", label: () => t("mapGrid"), size: () => [WIDTHS.length, SIZES.length],
      cell: (r, c) => ({ text: String(Math.round(table()[r][c] / 1e6)), marks: WIDTHS[r] === width() && SIZES[c] === size() ? "current" : table()[r][c] <= now().macs ? "done" : "" }),
      describe: (r, c) => t("mapCell", { width: WIDTHS[r], size: SIZES[c], macs: million(table()[r][c]) }),
      choose: (r, c) => { ui.set({ width: WIDTHS[r], resolution: SIZES[c] }); ui.say(say()); },
    });
    const names = (list, kind) => h("div", { class: kind, "aria-hidden": "true" }, list.map((v) => h("span", {}, String(v))));

    return [
      choice(ui, { label: t("version"), options: [["v1", "MobileNet v1"], ["v2", "MobileNet v2"]], value: version, choose: (v) => { ui.set({ version: v }); ui.say(say()); } }),
      row(slider(ui, { key: "width", label: t("width"), values: WIDTHS, say }), slider(ui, { key: "resolution", label: t("resolution"), values: SIZES, say })),
      row(block(ui, t("map"), h("div", { class: "cnn-map" }, h("span", {}), names(SIZES, "cnn-across"), names(WIDTHS, "cnn-down"), map), text(ui, () => t("cheaper"), "cnn-note")),
        h("div", { class: "cnn-part" }, block(ui, t("parameters"), pair("parameters")), block(ui, t("macs"), pair("macs")), colours)),
      sentence(ui, say),
      code(ui, () => countLines(version(), width(), size())),
    ];
  },
});
