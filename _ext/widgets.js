// Draws the page's widgets without a kernel, from the state that the executed page left in it.
//
// A demo is an anywidget: a front-end module that asks its host for get, set, on, off and save_changes
// (https://anywidget.dev/en/afm/). A page with demos alone needs no more than this file. A page that also shows
// stock ipywidgets loads Jupyter's html-manager, 1 MB, and lets that draw everything.
(async function () {
  "use strict";
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const models = {};
  for (const script of document.querySelectorAll(STATE)) {
    const { state, shared = [] } = JSON.parse(script.textContent);
    // What several demos have in common stands there once; _ext/offline.py put it there.
    const unfold = (values) => {
      for (const [name, value] of Object.entries(values)) if (shared[value?.shared]) values[name] = shared[value.shared];
    };
    for (const model of Object.values(state)) [model.state, ...(model.buffers ?? [])].forEach(unfold);
    Object.assign(models, state);
  }
  const views = [...document.querySelectorAll(VIEW)].map((script) => [script, JSON.parse(script.textContent).model_id]);
  if (views.some(([, id]) => models[id]?.model_module !== "anywidget")) return loadManager();

  const once = (make) => {
    const made = new Map();
    return (text) => made.get(text) ?? made.set(text, make(text)).get(text);
  };
  const load = once((text) => {
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    return import(url).finally(() => URL.revokeObjectURL(url));
  });
  const style = once((textContent) => document.head.append(Object.assign(document.createElement("style"), { textContent })));

  // Binary values stand beside the state, as base64 with the path of their place in it.
  function withBuffers({ state, buffers = [] }) {
    for (const { path, data } of buffers) {
      const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
      path.slice(0, -1).reduce((at, step) => at[step], state)[path.at(-1)] = new DataView(bytes.buffer);
    }
    return state;
  }

  // Backbone's events, as much of them as anywidget promises: "change", "change:NAME" and "msg:custom".
  function host(state) {
    const listeners = new Map();
    const emit = (event, ...rest) => [...(listeners.get(event) ?? [])].forEach((listener) => listener(...rest));
    const model = {
      get: (name) => state[name],
      set(name, value) {
        const values = typeof name === "object" ? name : { [name]: value };
        const changed = Object.keys(values).filter((key) => state[key] !== values[key]);
        Object.assign(state, values);
        for (const key of changed) emit(`change:${key}`, model, state[key], {});
        if (changed.length) emit("change", model, {});
      },
      on: (events, listener) =>
        events.split(/\s+/).forEach((event) => listeners.set(event, [...(listeners.get(event) ?? []), listener])),
      off(events, listener) {
        for (const event of events?.split(/\s+/) ?? [...listeners.keys()])
          listeners.set(event, listener ? (listeners.get(event) ?? []).filter((each) => each !== listener) : []);
      },
      save_changes() {}, // no kernel listens
      send() {},
    };
    return model;
  }

  const hosts = {};
  for (const [script, id] of views) {
    const { state } = models[id];
    const element = document.createElement("div");
    element.className = "widget-subarea";
    script.before(element);
    try {
      if (state._css) style(state._css);
      const module = await load(state._esm);
      const widget = typeof module.default === "function" ? await module.default() : (module.default ?? module);
      if (!hosts[id]) {
        hosts[id] = host(withBuffers(models[id]));
        await widget.initialize?.({ model: hosts[id] });
      }
      await widget.render?.({ model: hosts[id], el: element });
    } catch (error) {
      element.remove();
      console.error(error); // one broken demo leaves the others standing
    }
  }

  async function loadManager() {
    const root = document.documentElement.dataset.content_root || "./";
    const vendor = new URL(root + "_vendor/", document.baseURI).href;
    const add = (src, data = {}) =>
      new Promise((resolve, reject) => {
        const script = Object.assign(document.createElement("script"), { src, onload: resolve, onerror: reject });
        Object.assign(script.dataset, data);
        document.head.append(script);
      });
    await add(vendor + "requirejs/require.js");
    // every AMD module is found in _vendor/, never on a CDN
    const bundle = vendor + "html-manager/embed-amd";
    const names = ["base", "controls", "output", "html-manager", "html-manager/dist/libembed-amd"];
    const paths = { anywidget: vendor + "anywidget/index" };
    for (const name of names) paths["@jupyter-widgets/" + name] = bundle;
    requirejs.config({ waitSeconds: 30, paths });
    // html-manager 1.0 calls the interface of MathJax 2: hand its requests to MathJax 3 where the page has it
    window.MathJax = window.MathJax || {};
    await window.MathJax.startup?.promise;
    window.MathJax.Hub = { Queue: (request) => window.MathJax.typesetPromise?.([request[2]]) };
    await add(bundle + ".js", { jupyterWidgetsCdn: "about:blank#" });
  }
})();
