// InceptionBlock. The arithmetic first: exported, and compared with real layers for thousands of random settings.

/** One convolution that keeps the size: its weights, and the MACs over size × size places. */
export const layer = (cin, cout, k, size) => ({ cin, cout, k, weights: cin * cout * k * k, macs: cin * cout * k * k * size * size });

/** The four branches of the block: the layers of each with 1×1 convolutions (`thin`) and without (`naive`), and the channels each puts out. */
export function branches({ c_in, size, widths, kernel5 }) {
  const [n1, reduce3, n3, reduce5, n5, pool] = widths;
  const one = (cin, cout, k = 1) => layer(cin, cout, k, size);
  return [
    { thin: [one(c_in, n1)], naive: [one(c_in, n1)], out: n1, naiveOut: n1 },
    { thin: [one(c_in, reduce3), one(reduce3, n3, 3)], naive: [one(c_in, n3, 3)], out: n3, naiveOut: n3 },
    { thin: [one(c_in, reduce5), one(reduce5, n5, kernel5)], naive: [one(c_in, n5, kernel5)], out: n5, naiveOut: n5 },
    { thin: [one(c_in, pool)], naive: [], out: pool, naiveOut: c_in }, // pooling alone keeps every channel
  ];
}

const add = (list) => list.reduce((s, v) => s + v, 0);
/** The MACs of a branch, and of a block. */
export const macsOf = (layers) => add(layers.map((l) => l.macs));
/** Channels out, MACs and weights of the whole block, with and without the 1×1 convolutions. */
export function totals(all) {
  const of = (kind, out) => ({ out: add(all.map((b) => b[out])), macs: add(all.map((b) => macsOf(b[kind]))), weights: add(all.flatMap((b) => b[kind]).map((l) => l.weights)) });
  return { thin: of("thin", "out"), naive: of("naive", "naiveOut") };
}

/** A large number in 만 and 억, as Korean readers count: a label and what fills it. */
export function tenThousands(value) {
  const man = Math.round(value / 1e4), eok = Math.floor(man / 1e4), rest = man % 1e4;
  return [eok === 0 ? "man" : rest === 0 ? "eok" : "eokMan", { eok, man: rest }];
}

/** Which branch an output channel comes from. */
export function branchOf(channel, all) {
  let end = 0;
  for (let b = 0; b < all.length; b++) { end += all[b].out; if (channel < end) return b; }
  return -1;
}

/** Table 1 of the paper: channels in, side, and the widths in the order of `widths`. */
export const BLOCKS = {
  "3a": [192, 28, [64, 96, 128, 16, 32, 32]], "3b": [256, 28, [128, 128, 192, 32, 96, 64]],
  "4a": [480, 14, [192, 96, 208, 16, 48, 64]], "4b": [512, 14, [160, 112, 224, 24, 64, 64]], "4c": [512, 14, [128, 128, 256, 24, 64, 64]],
  "4d": [512, 14, [112, 144, 288, 32, 64, 64]], "4e": [528, 14, [256, 160, 320, 32, 128, 128]],
  "5a": [832, 7, [256, 160, 320, 32, 128, 128]], "5b": [832, 7, [384, 192, 384, 48, 128, 128]],
};

/** The PyTorch lines that count the same block. */
export const countLines = ({ c_in, size, widths, kernel5 }) => ["from cnnbook.counting import count_macs", "from cnnbook.models.googlenet import Inception", "",
  `block = Inception(${c_in}, ${widths.join(", ")}, kernel5=${kernel5})`, `macs = count_macs(block, (1, ${c_in}, ${size}, ${size}))`].join("\n");

const SIDES = [7, 14, 28, 56];
const ROLES = ["input", "kernel", "output", "channel"]; // one colour a branch
const NAMES = ["one", "three", "five", "pooled"];
const WIDTHS = ["n1x1", "reduce3", "n3x3", "reduce5", "n5x5", "project"];
const good = (v, step, high) => within(v, step, high) && v % step === 0;

export default demo({
  name: "inception_block",
  state: ["c_in", "size", "widths", "kernel5", "branch"],
  valid: (s) => good(s.c_in, 16, 1024) && SIDES.includes(s.size) && shaped(s.widths, 6) && s.widths.every((v) => good(v, 8, 512)) && [3, 5].includes(s.kernel5) && [0, 1, 2, 3].includes(s.branch),

  render(ui) {
    const setting = () => Object.fromEntries(["c_in", "size", "widths", "kernel5"].map((k) => [k, ui.get(k)]));
    const all = ui.derive(() => branches(setting()));
    const sums = ui.derive(() => totals(all()));
    const b = () => ui.get("branch"), side = () => ui.get("size");
    const label = (at) => (at === 2 ? t("square", { k: ui.get("kernel5") }) : t(NAMES[at]));
    const million = (v) => (v < 1e4 ? num(v) : t(...tenThousands(v)));
    const percent = (v) => num(100 * v, v < 0.1 ? 1 : 0);

    // one slider a width: they share the list in the state
    const widthSlider = (i) => {
      const input = h("input", { type: "range", min: 8, max: 512, step: 8, "data-lm-suppress-shortcuts": "true", oninput: () => {
        ui.set({ widths: ui.get("widths").map((v, at) => (at === i ? Number(input.value) : v)) });
        ui.say(sayBranch());
      } });
      const value = h("span", { class: "cnn-value", "aria-hidden": "true" });
      const name = h("span", {});
      ui.watch(() => {
        const now = ui.get("widths")[i];
        input.value = now;
        setAttr(input, "aria-valuetext", num(now));
        setText(value, num(now));
        setText(name, t(WIDTHS[i], { k: `${ui.get("kernel5")}×${ui.get("kernel5")}` }));
      });
      return h("label", { class: "cnn-slider" }, name, input, value);
    };

    const presetOf = () => Object.keys(BLOCKS).find((k) => sameJson(BLOCKS[k], [ui.get("c_in"), side(), ui.get("widths")])) ?? null;
    const line = (kind, at, faint) => ({
      label: label(at), faint,
      parts: all()[at][kind].map((l, i, list) => [i === 0 && list.length > 1 ? "padding" : ROLES[at], l.macs]),
      text: million(macsOf(all()[at][kind])),
    });
    const top = () => Math.max(...all().flatMap((branch) => [macsOf(branch.thin), macsOf(branch.naive)]));
    const costBars = (kind) => bars(ui, () => NAMES.map((_, at) => line(kind, at, at !== b())), top);
    const strip = bars(ui, () => [
      { label: t("withOne"), parts: all().map((branch, at) => [ROLES[at], branch.out]), text: num(sums().thin.out) },
      { label: t("without"), parts: all().map((branch, at) => [ROLES[at], branch.naiveOut]), text: num(sums().naive.out) },
    ]);
    const key = legend(ui, () => NAMES.map((_, at) => [ROLES[at], `${label(at)} ${num(all()[at].out)}`]));

    // what the branch in focus costs, written out
    const product = (l) => [math.sup(side(), 2), "×", ...(l.k > 1 ? [math.sup(math.tone("kernel", l.k), 2), "×"] : []), math.tone("input", l.cin), "×", math.tone("output", l.cout)];
    const written = (kind) => {
      const layers = all()[b()][kind];
      if (!layers.length) return math.show(0);
      const sum = (of) => layers.flatMap((l, i) => [...(i ? ["+"] : []), ...of(l)]);
      // in pieces, so that a phone can break the line
      return [math.show(...sum(product)), " ", layers.length > 1 && [math.show("=", ...sum((l) => [num(l.macs)])), " "], math.show("=", num(macsOf(layers)))].filter(Boolean);
    };
    const formula = (name, kind) => text(ui, () => [tinted("muted", t(name)), " ", written(kind)], "cnn-formula");
    function sayBranch() {
      const { thin, naive, out } = all()[b()], a = macsOf(thin), c = macsOf(naive), range = channelRange();
      const place = t("place", { name: label(b()), first: range[0], last: range[1], out });
      if (b() === 0) return `${place} ${t("sayOne")}`;
      if (b() === 3) return `${place} ${t("sayPool", { c: ui.get("c_in"), out })}`;
      return `${place} ${t(a < c ? "saySaves" : "sayCosts", { c: ui.get("c_in"), r: thin[0].cout, percent: percent(a / c) })}`;
    }
    const channelRange = () => {
      const first = add(all().slice(0, b()).map((branch) => branch.out));
      return [first, first + all()[b()].out - 1];
    };
    const sayAll = () => t("all", { thin: million(sums().thin.macs), naive: million(sums().naive.macs), percent: percent(sums().thin.macs / sums().naive.macs) });

    return [
      choice(ui, { label: t("preset"), options: Object.keys(BLOCKS).map((k) => [k, k]), value: presetOf, choose: (k) => { const [c_in, size, widths] = BLOCKS[k]; ui.set({ c_in, size, widths }); ui.say(sayAll()); } }),
      h("div", { class: "cnn-sliders" },
        slider(ui, { key: "c_in", label: t("cIn"), min: 16, max: 1024, step: 16, say: sayBranch }),
        slider(ui, { key: "size", label: t("size"), values: SIDES, format: (v) => `${v}×${v}`, say: sayBranch }),
        WIDTHS.map((_, i) => widthSlider(i))),
      row(
        choice(ui, { label: t("branch"), options: NAMES.map((n, at) => [at, at === 2 ? t("fiveBranch") : t(n)]), value: b, choose: (at) => { ui.set({ branch: at }); ui.say(sayBranch()); } }),
        choice(ui, { label: t("kernel5"), options: [[5, t("fromPaper")], [3, t("fromTorchvision")]], value: () => ui.get("kernel5"), choose: (k) => { ui.set({ kernel5: k }); ui.say(sayBranch()); } })),
      row(block(ui, t("withOne"), costBars("thin")), block(ui, t("without"), costBars("naive"))),
      text(ui, () => t("grey"), "cnn-note"),
      h("div", {}, formula("withOne", "thin"), formula("without", "naive")),
      sentence(ui, sayBranch),
      block(ui, t("channels"), strip, key),
      text(ui, sayAll),
      code(ui, () => countLines(setting())),
    ];
  },
});
