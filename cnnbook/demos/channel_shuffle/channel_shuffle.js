// ChannelShuffle. The arithmetic first: exported, and compared with torch for thousands of random settings.

/** Which channel stands at each place after the shuffle of g groups of n: a g×n table read column by column. */
export const shuffled = (g, n) => Array.from({ length: g * n }, (_, p) => (p % g) * n + Math.floor(p / g));

/** Grouped 1×1 convolution of one pixel: x (C), w (≥ C, ≥ n) -> (C). */
export const groupedPixel = (x, w, g) => {
  const n = x.length / g;
  return x.map((_, o) => members(o, n).reduce((sum, i, k) => sum + x[i] * w[o][k], 0));
};

/** The channels in the group of channel `c`, of groups of n. */
export const members = (c, n) => Array.from({ length: n }, (_, k) => Math.floor(c / n) * n + k);

/** The values of the four columns: input, first convolution, what the second one gets, second convolution. */
export function forward({ groups, per_group: n, shuffle, input, first, second }) {
  const x = input.slice(0, groups * n), a = groupedPixel(x, first, groups);
  const b = (shuffle ? shuffled(groups, n) : a.map((_, c) => c)).map((c) => a[c]);
  return [x, a, b, groupedPixel(b, second, groups)];
}

/** The pairs whose products make channel `c` of the first or the second convolution: [value, weight]. */
export function pairs(state, layer, c) {
  const from = forward(state)[layer === 1 ? 0 : 2], weights = (layer === 1 ? state.first : state.second)[c];
  return members(c, state.per_group).map((i, k) => [from[i], weights[k]]);
}

/** The channels of each of the four columns on a path to channel `c` of the first or the second convolution. */
export function sources(layer, c, groups, n, shuffle) {
  if (layer === 1) return [members(c, n), [c], [], []];
  const order = shuffle ? shuffled(groups, n) : Array.from({ length: groups * n }, (_, p) => p);
  const places = members(c, n), before = places.map((p) => order[p]).sort((p, q) => p - q);
  return [[...new Set(before.flatMap((p) => members(p, n)))].sort((p, q) => p - q), before, places, [c]];
}

/** The PyTorch lines that compute the present output `y`. */
export function torchLines({ groups, per_group: n, shuffle, input, first, second }) {
  const c = groups * n;
  const rows = (w) => w.slice(0, c).map((line) => pyList(line.slice(0, n))).join(`,\n${" ".repeat(19)}`);
  return ["import torch", "import torch.nn.functional as F", "",
    `x = torch.tensor(${pyList(input.slice(0, c))}).float().reshape(1, ${c}, 1, 1)`,
    `w1 = torch.tensor([${rows(first)}]).float()[..., None, None]`,
    `w2 = torch.tensor([${rows(second)}]).float()[..., None, None]`,
    `h = F.conv2d(x, w1, groups=${groups})`,
    ...(shuffle ? [`h = torch.nn.ChannelShuffle(${groups})(h)`] : []),
    `y = F.conv2d(h, w2, groups=${groups})`].join("\n");
}

const COLUMNS = ["input", "one", "between", "two"];

export default demo({
  name: "channel_shuffle",
  state: ["groups", "per_group", "shuffle", "layer", "channel", "input", "first", "second"],
  valid: (s) => [2, 3, 4].includes(s.groups) && [2, 3, 4].includes(s.per_group) && [1, 2].includes(s.layer)
    && within(s.channel, 0, 15)
    && shaped(s.input, 16) && shaped(s.first, 16, 4) && shaped(s.second, 16, 4),

  render(ui) {
    const all = ui.derive(() => Object.fromEntries(["groups", "per_group", "shuffle", "input", "first", "second"].map((k) => [k, ui.get(k)])));
    const g = () => ui.get("groups"), n = () => ui.get("per_group"), count = () => g() * n();
    const layer = () => ui.get("layer"), channel = () => Math.min(ui.get("channel"), count() - 1);
    const values = ui.derive(() => forward(all()));
    const order = ui.derive(() => (ui.get("shuffle") ? shuffled(g(), n()) : Array.from({ length: count() }, (_, p) => p)));
    const lit = ui.derive(() => sources(layer(), channel(), g(), n(), ui.get("shuffle")));
    const weightKey = () => (layer() === 1 ? "first" : "second");

    const sums = (which, c) => pairs(all(), which, c).map(([v, w]) => `${braced(v)} × ${braced(w)}`).join(" + ");
    const saySum = (which, c) => t(which === 1 ? "sumOne" : "sumTwo", { c, from: members(c, n()).join(", "), sum: sums(which, c), value: values()[which === 1 ? 1 : 3][c] });
    const sayBetween = (p) => t(ui.get("shuffle") ? "moved" : "stays", { p, c: order()[p], value: values()[2][p], group: Math.floor(p / n()) + 1 });
    const sayReach = () => {
      const inputs = lit()[0], from = new Set(inputs.map((c) => Math.floor(c / n()))).size;
      return t(layer() === 1 ? "reachOne" : "reachTwo", { c: channel(), n: inputs.length, all: count(), list: inputs.join(", ") }) + " "
        + t(layer() === 1 ? "inside" : from === g() ? "everyGroup" : from === 1 ? "oneGroup" : "someGroups", { from, g: g(), n: n() });
    };

    // ---- four columns of channels, and wires between them
    const column = (k) => grid(ui, {
      tone: ["input", "channel", "channel", "output"][k], label: () => t("columnGrid", { kind: t(COLUMNS[k]), n: count() }), size: () => [count(), 1],
      cell: (c) => {
        const now = (layer() === 1 && k === 1) || (layer() === 2 && k === 3);
        return { text: short(values()[k][c]), marks: `${lit()[k].includes(c) ? (now ? "current" : "on") : "away"}` };
      },
      describe: (c) => (k === 0 ? t("inputCell", { c, value: values()[0][c], group: Math.floor(c / n()) + 1 }) : k === 2 ? sayBetween(c) : saySum(k === 1 ? 1 : 2, c)),
      ...(k === 0 && { edit: (c, _, value) => ui.set({ input: ui.get("input").map((v, i) => (i === c ? value : v)) }) }),
      ...(k % 2 && { choose: (c) => { ui.set({ layer: k === 1 ? 1 : 2, channel: c }); ui.say(sayReach()); } }),
    });
    const names = (k) => {
      const box = h("div", { class: "cnn-names", "aria-hidden": "true" });
      ui.watch(() => {
        const words = Array.from({ length: count() }, (_, c) => String(k === 2 ? order()[c] : c));
        if (box.textContent === words.join("")) return;
        box.replaceChildren(...words.map((w) => h("span", {}, w)));
      });
      return box;
    };
    /** The wires from column k to the next: [from, to, whether a path to the chosen channel runs over it]. */
    const wires = (k) => {
      const [here, there] = [lit()[k], lit()[k + 1]];
      if (k === 1) return order().map((c, p) => [c, p, layer() === 2 && here.includes(c) && there.includes(p)]);
      return Array.from({ length: count() }, (_, o) => members(o, n()).map((i) => [i, o, here.includes(i) && there.includes(o)])).flat();
    };
    const bundle = (k) => {
      const picture = svg("svg", { class: "cnn-wires", preserveAspectRatio: "none", "aria-hidden": "true" });
      let drawn = "";
      ui.watch(() => {
        const list = wires(k), now = JSON.stringify([g(), list]);
        if (now === drawn) return;
        drawn = now;
        setAttr(picture, "viewBox", `0 0 100 ${count()}`);
        const boxes = k === 1 ? [] : Array.from({ length: g() }, (_, q) => svg("rect", { x: 2, width: 96, y: q * n() + 0.06, height: n() - 0.12, class: "cnn-group-box" }));
        const line = ([from, to, on]) => svg("path", { d: `M0 ${from + 0.5}C50 ${from + 0.5} 50 ${to + 0.5} 100 ${to + 0.5}`, class: on ? "on" : "" });
        picture.replaceChildren(...boxes, ...list.filter((w) => !w[2]).map(line), ...list.filter((w) => w[2]).map(line));
      });
      return picture;
    };
    const head = (key) => h("p", { class: "cnn-label" }, t(key));
    const between = h("p", { class: "cnn-label" });
    ui.watch(() => setText(between, t(ui.get("shuffle") ? "between" : "unshuffled")));
    const network = h("div", { class: "cnn-network" },
      head("input"), h("span", {}), head("one"), h("span", {}), between, h("span", {}), head("two"),
      ...[0, 1, 2, 3].map((k) => [h("div", { class: "cnn-column" }, names(k), column(k)), k < 3 && bundle(k)]));
    ui.watch(() => network.style.setProperty("--rows", count()));

    // ---- the sum of the chosen channel, with its weights
    const inputs = grid(ui, {
      tone: "input", label: () => t("partsGrid", { n: n() }), size: () => [1, n()],
      cell: (_, k) => short(pairs(all(), layer(), channel())[k][0]),
      describe: (_, k) => t("part", { i: members(channel(), n())[k], value: pairs(all(), layer(), channel())[k][0] }),
    });
    const weights = grid(ui, {
      tone: "kernel", label: () => t("weightGrid", { n: n() }), size: () => [1, n()],
      cell: (_, k) => short(ui.get(weightKey())[channel()][k]),
      describe: (_, k) => t("weight", { i: members(channel(), n())[k], value: ui.get(weightKey())[channel()][k] }),
      edit: (_, k, value) => ui.set({ [weightKey()]: ui.get(weightKey()).map((line, c) => line.map((v, j) => (c === channel() && j === k ? value : v))) }),
    });

    // ---- the table that a shuffle reads column by column
    const table = grid(ui, {
      tone: "channel", label: () => t("tableGrid", { g: g(), n: n() }), size: () => [g(), n()],
      cell: (r, c) => ({ text: String(r * n() + c), marks: layer() === 2 && lit()[1].includes(r * n() + c) ? "on" : "" }),
      describe: (r, c) => t("tableCell", { c: r * n() + c, r: r + 1, p: c * g() + r }),
    });

    return [
      row(
        slider(ui, { key: "groups", label: t("groups"), min: 2, max: 4, say: sayReach }),
        slider(ui, { key: "per_group", label: t("perGroup"), min: 2, max: 4, say: sayReach }),
        toggle(ui, { key: "shuffle", label: t("shuffle") })),
      network,
      text(ui, sayReach),
      row(
        showIf(ui, () => ui.get("shuffle"), block(ui, t("table"), table, text(ui, () => t("read", { order: order().join(", ") }), "cnn-note"))),
        h("div", { class: "cnn-detail" },
          equation(block(ui, () => t("parts", { c: channel() }), inputs), ["×", block(ui, t("weights"), weights)]))),
      sentence(ui, () => saySum(layer(), channel())),
      code(ui, () => torchLines(all())),
    ];
  },
});
