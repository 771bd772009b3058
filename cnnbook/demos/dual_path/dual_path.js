// Two paths in one block. The arithmetic first: exported, and compared with the models and with torch.

/** The stages of the two models: blocks, channels of the residual path, growth of the dense one, width of the 3×3. */
export const MODELS = {
  dpn68: { stem: 10, depths: [3, 4, 12, 3], growths: [16, 32, 32, 64], residual: 64, width: 128 },
  dpn92: { stem: 64, depths: [3, 4, 20, 3], growths: [16, 32, 24, 128], residual: 256, width: 96 },
};
const GROUPS = 32;

/** The blocks of stage 0 to 3: channels that come, that are made, that leave, and the weights of the convolutions. */
export function blocksOf(model, stage) {
  const { stem, depths, growths, residual, width } = MODELS[model];
  const leave = (s) => residual * 2 ** s + (depths[s] + 2) * growths[s];
  const r = residual * 2 ** stage, k = growths[stage], w = width * 2 ** stage;
  return Array.from({ length: depths[stage] }, (_, i) => {
    const comes = i ? r + (i + 2) * k : stage ? leave(stage - 1) : stem;
    const project = i ? 0 : comes * (r + 2 * k); // the 1×1 that opens a stage, on the shortcut
    return { comes, made: r + k, leaves: r + (i + 3) * k, weights: project + comes * w + (9 * w * w) / GROUPS + w * (r + k) };
  });
}

/**
 * One place of one block with numbers: w · relu(h) makes the channels; as many as the residual path has are added to
 * it, the others go behind everything.
 */
export function dualPath(h, w, residual) {
  const made = w.map((row) => row.reduce((s, v, i) => s + v * Math.max(0, h[i]), 0));
  const added = h.slice(0, residual).map((v, i) => v + made[i]);
  return { made, added, appended: made.slice(residual), out: [...added, ...h.slice(residual), ...made.slice(residual)] };
}

/** The PyTorch lines of the place with numbers. */
export const pathsLines = (h, blocks, residual) => ["import torch", "", `h = torch.tensor(${pyList(h)}).float()`,
  ...blocks.flatMap((w) => [`new = torch.tensor(${pyList(w)}).float() @ h.relu()`,
    `added = h[:${residual}] + new[:${residual}]`, `h = torch.cat([added, h[${residual}:], new[${residual}:]])`])].join("\n");

/** The Python lines that show the block's channels in the course's own model. */
export const modelLines = (model, stage, block) => [`from cnnbook.models import ${model}`, "", `block = ${model}().conv${stage + 2}[${block}]`,
  "block.residual, block.out_channels"].join("\n");

const R = 2, D = 2, MADE = R + 1, KEYS = ["first", "second"], STEPS = ["make", "add", "append"];

export default demo({
  name: "dual_path",
  state: ["view", "model", "stage", "block", "step", "input", "first", "second"],
  valid: (s) => ["widths", "numbers"].includes(s.view) && s.model in MODELS && [0, 1, 2, 3].includes(s.stage)
    && within(s.block, 0, 19) && within(s.step, 0, 5)
    && shaped(s.input, R + D) && shaped(s.first, MADE, R + D) && shaped(s.second, MADE, R + D + 1),

  render(ui) {
    const widthsView = () => ui.get("view") === "widths";
    // ---- the widths of the models
    const model = () => MODELS[ui.get("model")], stage = () => ui.get("stage");
    const all = ui.derive(() => blocksOf(ui.get("model"), stage()));
    const at = () => position(ui, "block", all().length);
    const residual = () => model().residual * 2 ** stage(), k = () => model().growths[stage()];
    const sayBlock = () => t(at() ? "blockSentence" : "firstSentence", { ...all()[at()], i: at() + 1, residual: residual(), k: k(), start: 2 * k() });
    const strips = bars(ui, () => all().map((b, i) => ({
      label: t("block", { i: i + 1 }), text: num(b.leaves), faint: i > at(),
      parts: [["input", residual()], ["padding", 2 * k()], ...Array.from({ length: i + 1 }, (_, j) => [j === at() ? "current" : "channel", k()])],
    })));
    const widthsPart = [
      row(choice(ui, { label: t("model"), options: [["dpn92", "DPN-92"], ["dpn68", "DPN-68"]], value: () => ui.get("model"), choose: (m) => { ui.set({ model: m }); ui.say(sayBlock()); } }),
        choice(ui, { label: t("stage"), options: [0, 1, 2, 3].map((s) => [s, `conv${s + 2}`]), value: stage, choose: (s) => { ui.set({ stage: s, block: 0 }); ui.say(sayBlock()); } })),
      slider(ui, { key: "block", label: t("which"), min: 0, max: () => all().length - 1, format: (i) => t("block", { i: Math.min(i, all().length - 1) + 1 }), say: sayBlock }),
      block(ui, t("leaving"), strips, legend(ui, () => [["input", t("residualKey")], ["muted", t("startKey")], ["channel", t("denseKey")], ["current", t("newKey")]])),
      sentence(ui, sayBlock),
      text(ui, () => t("weightsSentence", { i: at() + 1, weights: all()[at()].weights })),
    ];

    // ---- one place with numbers, step by step
    const result = ui.derive(() => KEYS.reduce((done, key) => {
      const from = done.length ? done[done.length - 1].out : ui.get("input");
      return [...done, { from, ...dualPath(from, ui.get(key), R) }];
    }, []));
    const step = () => position(ui, "step", 6), now = () => Math.floor(step() / 3), doing = () => STEPS[step() % 3];
    const part = () => result()[now()], key = () => KEYS[now()];
    const sayStep = () => {
      const { from, made, added, appended, out } = part(), list = (v) => v.map((x) => num(x)).join(", ");
      return { make: () => t("makeSentence", { i: now() + 1, from: from.length, made: list(made) }),
        add: () => t("addSentence", { sums: added.map((v, i) => `${num(from[i])} + ${braced(made[i])} = ${num(v)}`).join(", ") }),
        append: () => t("appendSentence", { appended: list(appended), old: list(from.slice(R)), n: out.length }) }[doing()]();
    };
    const vector = (label, tone, list, { change, marks = () => "", hidden = () => false } = {}) => {
      const name = () => (typeof label === "function" ? label() : label);
      return block(ui, name, grid(ui, {
        tone, label: name, size: () => [1, list().length],
        cell: (_, c) => (hidden(c) ? { text: "·", marks: "faint" } : { text: short(list()[c]), marks: marks(c) }),
        describe: (_, c) => t(hidden(c) ? "later" : c < R ? "residualCell" : "denseCell", { name: name(), c: c + 1, value: list()[c] }), edit: change,
      }));
    };
    const reached = (name) => STEPS.indexOf(doing()) >= STEPS.indexOf(name);
    const weightsName = () => t("weightsOf", { i: now() + 1 });
    const numbersPart = [
      stepper(ui, { count: () => 6, say: sayStep, interval: 1600 }),
      vector(t("input"), "input", () => ui.get("input"), { change: (_, c, value) => ui.set({ input: replaced(ui.get("input"), value, c) }) }),
      vector(() => t("coming", { i: now() + 1 }), "input", () => part().from, { marks: (c) => (c < R ? "done" : "") }),
      h("div", { class: "cnn-row cnn-flow" },
        block(ui, weightsName, grid(ui, {
          tone: "kernel", label: () => `${weightsName()}. ${t("editable")}`, size: () => [MADE, part().from.length], cell: (r, c) => short(ui.get(key())[r][c]),
          describe: (r, c) => t("cell", { name: weightsName(), r: r + 1, c: c + 1, value: ui.get(key())[r][c] }),
          edit: (r, c, value) => { const name = key(); ui.set({ [name]: replaced(ui.get(name), value, r, c) }); },
        })),
        vector(() => t("made", { i: now() + 1 }), "channel", () => part().made, { marks: (c) => (c < R ? (doing() === "add" ? "current" : "done") : doing() === "append" ? "current" : "") })),
      vector(() => t("leavingBlock", { i: now() + 1 }), "output", () => part().out, {
        hidden: (c) => (c < R ? !reached("add") : !reached("append")), marks: (c) => (c < R ? "done" : c >= part().from.length ? "used" : "") }),
      sentence(ui, sayStep),
    ];

    return [
      choice(ui, { label: t("view"), options: [["widths", t("viewWidths")], ["numbers", t("viewNumbers")]], value: () => ui.get("view"), choose: (view) => ui.set({ view }) }),
      showIf(ui, widthsView, h("div", { class: "cnn-part" }, widthsPart)),
      showIf(ui, () => !widthsView(), h("div", { class: "cnn-part" }, numbersPart)),
      code(ui, () => (widthsView() ? modelLines(ui.get("model"), stage(), at()) : pathsLines(ui.get("input"), KEYS.map((name) => ui.get(name)), R))),
    ];
  },
});
