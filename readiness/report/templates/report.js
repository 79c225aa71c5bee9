// Conveniences: without this script everything is there, and the filters work.
(() => {
  const main = document.querySelector("main");
  const items = [...main.querySelectorAll("details.item")];
  const shown = main.querySelector("#shown");
  const count = () => {
    shown.textContent = `${items.filter((item) => item.checkVisibility()).length} of ${items.length} items shown`;
  };
  const setAll = (open) => { for (const item of items) if (item.checkVisibility()) item.open = open; };
  main.querySelector("#open-all").addEventListener("click", () => setAll(true));
  main.querySelector("#close-all").addEventListener("click", () => setAll(false));
  main.querySelector(".choose").addEventListener("change", count);
  // A link to an item opens it, even one that a filter hides.
  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target?.matches("details.item")) return;
    for (const box of main.querySelectorAll(".choose input")) if (target.closest(`.${box.id}`)) box.checked = true;
    target.open = true;
    count();
    target.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  for (const control of main.querySelectorAll(".scripted")) control.hidden = false;
  count();
  follow();
})();
