// ShuffledGroups. The arithmetic first: exported, and compared with torch and with the counted networks.

/** Channels of ShuffleNet v1's second stage by the number of groups (table 1 of the paper). */
export const WIDTHS = { 1: 144, 2: 200, 3: 240, 4: 272, 8: 384 };

/** Weights and multiply-accumulates of one convolution that gives a map of size × size. */
export function groupedCost(from, to, k, groups, size) {
  const weights = (from * to * k * k) / groups;
  return { weights, macs: weights * size * size };
}

/** ShuffleNet v1 for pictures of 224 pixels: multiply-accumulates and parameters, and the former in each part. */
export function netCost(groups) {
  const total = { macs: 0, parameters: 0, parts: { stem: 0, pointwise: 0, depthwise: 0, classifier: 0 } };
  const add = (part, from, to, k, g, size) => {
    const { weights, macs } = groupedCost(from, to, k, g, size);
    total.macs += macs;
    total.parts[part] += macs;
    total.parameters += weights + (part === "classifier" ? to : 2 * to); // a bias, or a scale and a shift
  };
  add("stem", 3, 24, 3, 1, 112);
  let from = 24, size = 56;
  [4, 8, 4].forEach((units, i) => {
    const to = WIDTHS[groups] * 2 ** i, inner = to / 4;
    for (let u = 0; u < units; u++) {
      const stride = u ? 1 : 2, fresh = u ? to : to - from;
      add("pointwise", from, inner, 1, i === 0 && u === 0 ? 1 : groups, size);
      size /= stride;
      add("depthwise", inner, inner, 3, inner, size);
      add("pointwise", inner, fresh, 1, groups, size);
      from = to;
    }
  });
  add("classifier", from, 1000, 1, 1, 1);
  return total;
}

/** How many channels of each group of the first layer go to each group of the second: `groups` × `groups`. */
export function carried(inner, groups, shuffle) {
  const n = inner / groups;
  const table = Array.from({ length: groups }, () => Array(groups).fill(0));
  for (let place = 0; place < inner; place++) {
    const source = shuffle ? (place % groups) * n + Math.floor(place / groups) : place;
    table[Math.floor(source / n)][Math.floor(place / n)]++;
  }
  return table;
}

/** The input channels that reach output channel `output` through grouped 1×1, shuffle and grouped 1×1. */
export function reachedBy(channels, inner, groups, shuffle, output) {
  const mine = Math.floor(output / (channels / groups)), table = carried(inner, groups, shuffle);
  return Array.from({ length: channels }, (_, c) => c).filter((c) => table[Math.floor(c / (channels / groups))][mine] > 0);
}

/** The PyTorch lines that light one input channel at a time and see which of them reach the output. */
export function reachLines(groups, shuffle, output) {
  const channels = WIDTHS[groups], inner = channels / 4;
  return ["import torch", "import torch.nn.functional as F", "",
    `x = torch.eye(${channels})[:, :, None, None]`,
    `h = F.conv2d(x, torch.ones(${inner}, ${channels / groups}, 1, 1), groups=${groups})`,
    ...(shuffle ? [`h = torch.nn.ChannelShuffle(${groups})(h)`] : []),
    `y = F.conv2d(h, torch.ones(${channels}, ${inner / groups}, 1, 1), groups=${groups})`,
    `reached = y[:, ${output}, 0, 0].nonzero().flatten().tolist()`].join("\n");
}

const GROUPS = [1, 2, 3, 4, 8];
const PARTS = { stem: "input", pointwise: "output", depthwise: "kernel", classifier: "channel" };
const TOP = 22, HIGH = 176, COLUMNS = [14, 106, 198, 290], THICK = 16; // of the picture, 320 × 200

export default demo({
  name: "shuffled_groups",
  state: ["groups", "shuffle", "channel"],
  valid: (s) => GROUPS.includes(s.groups) && within(s.channel, 0, 383),

  render(ui) {
    const groups = () => ui.get("groups"), channels = () => WIDTHS[groups()], inner = () => channels() / 4;
    const output = () => Math.min(ui.get("channel"), channels() - 1), mine = () => Math.floor(output() / (channels() / groups()));
    const reached = ui.derive(() => reachedBy(channels(), inner(), groups(), ui.get("shuffle"), output()));
    const table = ui.derive(() => carried(inner(), groups(), ui.get("shuffle")));
    const costs = GROUPS.map(netCost);
    const million = (v) => num(v / 1e6, 1);
    const say = () => t("reach", { c: output(), n: reached().length, all: channels(), share: num((100 * reached().length) / channels(), 1) }) + " "
      + t(groups() === 1 ? "together" : ui.get("shuffle") ? "mixed" : "walled", { g: groups(), carry: table()[0][mine()] || table()[mine()][mine()], inner: inner() / groups(), own: mine() + 1 });

    // four columns of groups; bands inside a group, wires where channels change places
    const picture = svg("svg", { viewBox: "0 0 320 200", class: "cnn-flow", role: "img" });
    ui.watch(() => {
      const g = groups(), step = HIGH / g, pad = g > 1 ? 2 : 0;
      setAttr(picture, "aria-label", say());
      const sources = table().map((line) => line[mine()] > 0);
      const on = [(i) => sources[i], (i) => sources[i], (i) => i === mine(), (i) => i === mine()];
      const box = (k, i) => svg("rect", { x: COLUMNS[k], y: TOP + i * step + pad, width: THICK, height: step - 2 * pad, class: `cnn-group cnn-${["in", "mid", "mid", "out"][k]}${on[k](i) ? " on" : ""}` });
      const band = (k, i) => svg("rect", { x: COLUMNS[k] + THICK, y: TOP + i * step + pad, width: COLUMNS[k + 1] - COLUMNS[k] - THICK, height: step - 2 * pad, class: `cnn-band${on[k](i) && on[k + 1](i) ? " on" : ""}` });
      const wires = table().flatMap((line, i) => line.map((n, j) => [i, j, n])).filter(([, , n]) => n > 0).sort((a, b) => (a[1] === mine()) - (b[1] === mine())).map(([i, j, n]) => {
        // a wire leaves and arrives at its own share of the group's height
        const y1 = TOP + i * step + (step * (j + 0.5)) / g, y2 = TOP + j * step + (step * (i + 0.5)) / g, x1 = COLUMNS[1] + THICK, x2 = COLUMNS[2], middle = (x1 + x2) / 2;
        const [from, to] = ui.get("shuffle") ? [y1, y2] : [TOP + (i + 0.5) * step, TOP + (j + 0.5) * step];
        return svg("path", { d: `M${x1} ${from}C${middle} ${from} ${middle} ${to} ${x2} ${to}`, "stroke-width": Math.max(1, (HIGH * n) / inner() - 2), class: `cnn-wire${j === mine() ? " on" : ""}` });
      });
      const each = (draw) => Array.from({ length: g }, (_, i) => draw(i));
      const heads = [channels(), inner(), inner(), channels()].map((n, k) => svg("text", { x: COLUMNS[k] + THICK / 2, y: 14, "text-anchor": "middle" }, String(n)));
      picture.replaceChildren(...heads, ...each((i) => band(0, i)), ...wires, ...each((i) => band(2, i)), ...[0, 1, 2, 3].flatMap((k) => each((i) => box(k, i))));
    });

    const lines = (parts, shown) => () => GROUPS.map((g, i) => ({ label: t("form", { g }), parts: parts(g, i), text: shown(g, i), faint: g !== groups() }));
    const macBars = bars(ui, lines((g, i) => Object.entries(PARTS).map(([part, role]) => [role, costs[i].parts[part]]), (g, i) => t("million", { n: million(costs[i].macs) })));
    const widthBars = bars(ui, lines((g) => [["channel", WIDTHS[g]]], (g) => String(WIDTHS[g])));
    const colours = legend(ui, () => Object.entries(PARTS).map(([part, role]) => [role, t(part)]));

    return [
      row(slider(ui, { key: "groups", label: t("groups"), values: GROUPS, say }), slider(ui, { key: "channel", label: t("channel"), min: 0, max: () => channels() - 1, say }), toggle(ui, { key: "shuffle", label: t("shuffle") })),
      row(block(ui, t("paths"), picture, text(ui, () => t("columns"), "cnn-note")),
        h("div", { class: "cnn-part" }, block(ui, t("widths"), widthBars), block(ui, t("macs"), macBars, colours))),
      sentence(ui, say),
      code(ui, () => reachLines(groups(), ui.get("shuffle"), output())),
    ];
  },
});
