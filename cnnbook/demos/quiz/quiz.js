// Quiz. Texts are marked up sparingly: `code`, x~i~, x^2^, $formula$.

/** Splits a quiz text into pieces: [kind, text], kind one of text, code, sub, sup, formula. */
export function pieces(text) {
  return text.split(/(`[^`]+`|\$[^$]+\$)/).filter(Boolean).flatMap((part) => {
    if (part.length > 1 && part[0] === "`") return [["code", part.slice(1, -1)]];
    if (part.length > 1 && part[0] === "$") return [["formula", part.slice(1, -1)]];
    return part.split(/(~[^~\s]+~|\^[^^\s]+\^)/).filter(Boolean).map((p) =>
      /^~[^~\s]+~$/.test(p) ? ["sub", p.slice(1, -1)] : /^\^[^^\s]+\^$/.test(p) ? ["sup", p.slice(1, -1)] : ["text", p]);
  });
}

/** How many of the answers are right. */
export const score = (questions, answers) => questions.filter((q, i) => q.right === answers[i]).length;

/** A short name for these questions: answers kept for other questions are not taken for these. */
export function fingerprint(questions) {
  let hash = 5381;
  for (const c of JSON.stringify(questions)) hash = (Math.imul(hash, 33) + c.codePointAt(0)) >>> 0;
  return hash.toString(36);
}

const markup = (text) => pieces(text).map(([kind, value]) =>
  kind === "text" ? value : kind === "formula" ? h("span", { class: "cnn-formula mathjax_process tex2jax_process" }, `\\(${value}\\)`) : h(kind, {}, value));

/** What the reader answered before on this page; a browser may keep nothing. */
function memory(key) {
  try {
    const store = window.localStorage;
    return { read: () => JSON.parse(store.getItem(key)), write: (v) => store.setItem(key, JSON.stringify(v)) };
  } catch { return { read: () => null, write() {} }; }
}

export default demo({
  name: "quiz",
  heading: false, // the page has one above it
  render(ui) {
    const questions = ui.get("questions"), n = questions.length;
    const kept = memory(`cnn-quiz ${location.pathname} ${ui.get("link_key")} ${fingerprint(questions)}`);
    const before = kept.read();
    if (Array.isArray(before) && before.length === n && before.every((a, i) => within(a, -1, questions[i].options.length - 1))) ui.set({ answers: before });
    const unfolded = new Set();
    const answer = (i, a) => { const answers = [...ui.get("answers")]; answers[i] = a; ui.set({ answers }); kept.write(answers); };
    const right = () => score(questions, ui.get("answers"));

    const items = questions.map((q, i) => {
      const name = `cnn-quiz-${Math.random().toString(36).slice(2)}`;
      const options = q.options.map((o, k) => {
        const input = h("input", { type: "radio", name, value: k, "data-lm-suppress-shortcuts": "true" });
        const verdict = h("strong", {});
        const why = h("p", { class: "cnn-why" }, verdict, " ", markup(o.explanation));
        return { input, verdict, why, node: h("li", {}, h("label", {}, input, h("span", {}, markup(o.text))), why) };
      });
      const check = () => {
        const a = options.findIndex((o) => o.input.checked);
        if (a < 0) { ui.say(t("chooseFirst")); options[0].input.focus(); return; }
        answer(i, a);
        ui.say(`${t(a === q.right ? "right" : "wrong")} ${options[a].why.textContent.replace(/^\S+ /, "")} ${t("score", { n, right: right() })}`);
      };
      const more = h("button", { type: "button", class: "cnn-button cnn-quiet", onclick: () => { unfolded.add(i); ui.refresh(); } }, t("all"));
      const form = h("form", { onsubmit: (e) => { e.preventDefault(); check(); } },
        h("fieldset", {},
          h("legend", {}, h("span", { class: "cnn-unseen" }, t("question", { i: i + 1 })), h("span", { "aria-hidden": "true", class: "cnn-number" }, `${i + 1}`), h("span", {}, markup(q.text))),
          q.code && h("pre", { tabindex: 0 }, h("code", {}, q.code)),
          h("ul", {}, options.map((o) => o.node))),
        h("div", { class: "cnn-row" }, h("button", { type: "submit", class: "cnn-button" }, t("check")), more));
      // Enter on an option checks, as in any form; a radio button does not submit one by itself everywhere.
      form.addEventListener("keydown", (e) => { if (e.key === "Enter" && e.target.type === "radio") { e.preventDefault(); check(); } });
      let drawn = -1;
      ui.watch(() => {
        const a = ui.get("answers")[i], solved = a === q.right;
        if (a !== drawn) { options.forEach((o, k) => { o.input.checked = k === a; }); drawn = a; }
        options.forEach((o, k) => {
          const shown = k === a || (unfolded.has(i) && solved);
          o.why.hidden = !shown;
          setAttr(o.node, "class", shown ? (k === q.right ? "right" : "wrong") : "");
          setText(o.verdict, k === q.right ? t("right") : k === a ? t("wrong") : "");
        });
        more.hidden = !solved || unfolded.has(i);
      });
      return h("li", {}, form);
    });

    const line = text(ui, () => {
      const tried = ui.get("answers").some((a) => a >= 0);
      return right() === n ? t("done", { n }) : tried ? t("score", { n, right: right() }) : t("start");
    }, "cnn-score");
    const again = h("button", { type: "button", class: "cnn-button cnn-quiet", onclick: () => {
      unfolded.clear();
      const none = questions.map(() => -1);
      for (const input of list.querySelectorAll("input")) input.checked = false;
      ui.set({ answers: none });
      kept.write(none);
      ui.say(t("start"));
    } }, t("again"));
    ui.watch(() => { again.hidden = ui.get("answers").every((a) => a < 0); });
    const list = h("ol", { class: "cnn-questions" }, items);

    // Where MathJax is ready it is asked; where it is still on its way it finds the formulas by their class.
    const formulas = [...list.querySelectorAll(".cnn-formula")];
    if (formulas.length) window.MathJax?.startup?.promise?.then(() => window.MathJax.typesetPromise(formulas));
    return [list, h("div", { class: "cnn-quizfoot" }, line, again)];
  },
});
