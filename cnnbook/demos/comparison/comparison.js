// Comparison. The arithmetic first: exported, and compared with real layers of torch for thousands of random sizes.

export const FORMS = ["single", "multi", "volume", "pointwise", "transposed", "dilated", "spatial", "depthwise", "grouped", "shuffled"];

/** The number that a term stands for: { times: [[role, number, power]], over }. */
export const valueOf = ({ times, over = 1 }) => times.reduce((p, [, v, power = 1]) => p * v ** power, 1) / over;
const sumTerms = (terms) => terms.reduce((s, term) => s + valueOf(term), 0);

/**
 * What a form costs and gives: weights and macs as terms to be added, biases, output (channels first), field (the side of what one output
 * sees) and sees (input channels that reach one output channel). { problem } where torch has no such layer.
 */
export function measure(form, { c_in, c_out, k, size, stride, dilation, groups, depth, bias }) {
  const along = (n) => Math.floor((n - 1) / stride) + 1, m = along(size);
  const A = ["input", c_in], B = ["output", c_out], side = (power) => ["kernel", k, power];
  const spots = [["plain", m, 2]];
  // One list of factors and the places it is used at, for each layer that the form is made of.
  const of = (layers, rest = {}) => {
    const told = { output: [c_out, m, m], field: [k, k], sees: c_in, biases: bias ? c_out : 0, ...rest };
    const weights = layers.map(([times, , over]) => ({ times, over })), macs = layers.map(([times, at, over]) => ({ times: [...times, ...at], over }));
    return { ...told, weights, macs, parameters: sumTerms(weights) + told.biases, total: sumTerms(macs) };
  };
  switch (form) {
    case "single": return of([[[side(2)], spots]], { output: [1, m, m], sees: 1, biases: bias ? 1 : 0 });
    case "volume": return of([[[A, B, side(3)], [["plain", along(depth)], ...spots]]], { output: [c_out, along(depth), m, m], field: [k, k, k] });
    case "pointwise": return of([[[A, B], spots]], { field: [1, 1] });
    case "transposed": { // every input cell stamps the whole kernel
      const seen = Math.ceil(k / stride), out = size * stride;
      return of([[[A, B, side(2)], [["plain", size, 2]]]], { output: [c_out, out, out], field: [seen, seen] });
    }
    case "dilated": { const seen = dilation * (k - 1) + 1; return of([[[A, B, side(2)], spots]], { field: [seen, seen] }); }
    case "spatial": {
      const mid = ["channel", Math.min(c_in, c_out)];
      return of([[[side(), A, mid], [["plain", m], ["plain", size]]], [[side(), mid, B], spots]]);
    }
    case "depthwise": return of([[[side(2), A], spots], [[A, B], spots]]);
    case "grouped":
    case "shuffled":
      if (c_in % groups || c_out % groups) return { problem: true };
      return of([[[A, B, side(2)], spots, groups]], { sees: c_in / groups });
    default: return of([[[A, B, side(2)], spots]]);
  }
}

/** The torch layer itself. */
export function torchLayer(form, { c_in: a, c_out: b, k, stride: s, dilation: d, groups: g, bias }) {
  const pad = (k - 1) / 2, end = bias ? ")" : ", bias=False)";
  const conv = (i, o, side, padding, more = "") => `nn.Conv2d(${i}, ${o}, ${side}${s > 1 ? `, stride=${s}` : ""}${padding ? `, padding=${padding}` : ""}${more}`;
  const both = (first, second) => `nn.Sequential(\n    ${first},\n    ${second},\n)`;
  switch (form) {
    case "single": return conv(1, 1, k, pad) + end;
    case "volume": return conv(a, b, k, pad).replace("2d", "3d") + end;
    case "pointwise": return conv(a, b, 1, 0) + end;
    case "transposed": return conv(a, b, k, pad, s > 1 ? `, output_padding=${s - 1}` : "").replace("Conv2d", "ConvTranspose2d") + end;
    case "dilated": return conv(a, b, k, d * pad, `, dilation=${d}`) + end;
    case "spatial": {
      const mid = Math.min(a, b);
      return both(`nn.Conv2d(${a}, ${mid}, (${k}, 1), stride=(${s}, 1), padding=(${pad}, 0), bias=False)`, `nn.Conv2d(${mid}, ${b}, (1, ${k}), stride=(1, ${s}), padding=(0, ${pad})${end}`);
    }
    case "depthwise": return both(`${conv(a, a, k, pad, `, groups=${a}`)}, bias=False)`, `nn.Conv2d(${a}, ${b}, 1${end}`);
    case "grouped": return conv(a, b, k, pad, `, groups=${g}`) + end;
    case "shuffled": return both(conv(a, b, k, pad, `, groups=${g}`) + end, `nn.ChannelShuffle(${g})`);
    default: return conv(a, b, k, pad) + end;
  }
}

/** A count in at most seven digits: 294,912, 57.80 M, 1.85 G. */
export function compact(n) {
  if (n < 1e7) return n.toLocaleString("en-US");
  const [unit, name] = n < 1e9 ? [1e6, "M"] : n < 1e12 ? [1e9, "G"] : [1e12, "T"];
  return `${(n / unit).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })} ${name}`;
}

const EXPLAINED = {
  single: "singleIs", multi: "multiIs", volume: "volumeIs", pointwise: "pointwiseIs", transposed: "transposedIs",
  dilated: "dilatedIs", spatial: "spatialIs", depthwise: "depthwiseIs", grouped: "groupedIs", shuffled: "shuffledIs",
};
const KEYS = ["c_in", "c_out", "k", "size", "stride", "dilation", "groups", "depth", "bias"];

export default demo({
  name: "comparison",
  state: [...KEYS, "form"],
  valid: (s) => within(s.c_in, 1, 1024) && within(s.c_out, 1, 1024) && [1, 3, 5, 7].includes(s.k) && within(s.size, 1, 512) && within(s.stride, 1, 3)
    && within(s.dilation, 1, 4) && within(s.groups, 1, 1024) && within(s.depth, 1, 64) && FORMS.includes(s.form),

  render(ui) {
    const sizes = ui.derive(() => Object.fromEntries(KEYS.map((key) => [key, ui.get(key)])));
    const all = ui.derive(() => Object.fromEntries(FORMS.map((form) => [form, measure(form, sizes())])));
    const form = () => ui.get("form");
    const chosen = () => all()[form()];
    const times = (list) => list.join("×");
    const ratio = (value, base) => { const r = value / base; return r >= 100 ? Math.round(r).toLocaleString("en-US") : r >= 0.995 ? String(Math.round(10 * r) / 10) : String(Number(r.toPrecision(2))); };
    const say = () => t("told", { form: t(form()), parameters: chosen().problem ? "–" : compact(chosen().parameters), macs: chosen().problem ? "–" : compact(chosen().total) });
    const sentenceOf = () => {
      const what = t(EXPLAINED[form()]);
      return chosen().problem ? t("indivisible", { g: ui.get("groups") })
        : form() === "multi" ? what : `${what} ${t("against", { weights: ratio(chosen().parameters, all().multi.parameters), macs: ratio(chosen().total, all().multi.total) })}`;
    };

    // ---- the table: one row a form, bars against the ordinary convolution
    const group = `cnn-${Math.random().toString(36).slice(2)}`;
    const barCell = (key, label) => {
      const number = h("span", { class: "cnn-value" }), fill = h("i", {}), node = h("td", { "data-name": t(label) }, number, h("span", { class: "cnn-track", "aria-hidden": "true" }, fill));
      return { node, draw(told, base) {
        setText(number, told ? compact(told[key]) : "–");
        const share = told ? told[key] / base[key] : 0;
        fill.style.width = `${100 * Math.min(1, share)}%`;
        setAttr(fill, "class", share > 1 ? "over" : "");
      } };
    };
    const plainCell = (label) => h("td", { class: "cnn-value", "data-name": t(label) });
    const lines = FORMS.map((name) => {
      const radio = h("input", { type: "radio", name: group, "data-lm-suppress-shortcuts": "true", onchange: () => { ui.set({ form: name }); ui.say(say()); } });
      const parameters = barCell("parameters", "parameters"), macs = barCell("total", "macs"), output = plainCell("out"), field = plainCell("field"), sees = plainCell("sees");
      const node = h("tr", { onclick: () => ui.set({ form: name }) }, h("th", { scope: "row" }, h("label", {}, radio, h("span", {}, t(name)))), parameters.node, macs.node, output, field, sees);
      ui.watch(() => {
        const told = all()[name].problem ? null : all()[name], base = all().multi;
        radio.checked = form() === name;
        setAttr(node, "class", form() === name ? "current" : "");
        parameters.draw(told, base);
        macs.draw(told, base);
        setText(output, told ? times(told.output) : "–");
        setText(field, told ? times(told.field) : "–");
        setText(sees, told ? num(told.sees) : "–");
      });
      return node;
    });
    const table = h("table", { class: "cnn-table" }, h("caption", { class: "cnn-unseen" }, t("table")),
      h("thead", {}, h("tr", {}, ["form", "parameters", "macs", "out", "field", "sees"].map((key) => h("th", { scope: "col" }, t(key))))), h("tbody", {}, lines));

    // ---- the chosen form: the numbers that are multiplied
    const factor = ([role, v, power = 1]) => { const kid = role === "plain" ? num(v) : math.tone(role, num(v)); return power > 1 ? math.sup(kid, power) : kid; };
    const term = ({ times: list, over }) => { const top = list.flatMap((f, i) => (i ? ["×", factor(f)] : [factor(f)])); return math.show(...(over ? [math.frac(math.row(...top), over)] : top)); };
    /** One formula a term, so that a long sum can break on a phone. */
    const formula = (label, terms, extra, value) => text(ui, () => (chosen().problem ? "" : [tinted("muted", t(label)), " ",
      terms().flatMap((x, i) => (i ? [" + ", term(x)] : [term(x)])), extra(), ` = ${num(value())}`]), "cnn-formula");

    return [
      h("div", { class: "cnn-fields" },
        number(ui, { key: "c_in", label: t("cIn"), min: 1, max: 1024, say }), number(ui, { key: "c_out", label: t("cOut"), min: 1, max: 1024, say }),
        number(ui, { key: "size", label: t("size"), min: 1, max: 512, say }), number(ui, { key: "groups", label: t("groups"), min: 1, max: 1024, say }),
        number(ui, { key: "depth", label: t("depth"), min: 1, max: 64, say })),
      h("div", { class: "cnn-fields" },
        slider(ui, { key: "k", label: t("k"), values: [1, 3, 5, 7], say }), slider(ui, { key: "stride", label: t("stride"), min: 1, max: 3, say }),
        slider(ui, { key: "dilation", label: t("dilation"), min: 1, max: 4, say }), toggle(ui, { key: "bias", label: t("bias") })),
      table,
      text(ui, () => t("note"), "cnn-note"),
      block(ui, () => t(form()),
        formula("parameters", () => chosen().weights, () => (chosen().biases ? ` + ${num(chosen().biases)}` : ""), () => chosen().parameters),
        formula("macs", () => chosen().macs, () => "", () => chosen().total)),
      sentence(ui, sentenceOf),
      code(ui, () => (chosen().problem ? `# ${t("indivisible", { g: ui.get("groups") })}` : `from torch import nn\n\nlayer = ${torchLayer(form(), sizes())}`)),
    ];
  },
});
