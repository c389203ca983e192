// Where the editor keeps what it keeps. What a person typed (operations, variables, headers, history) may name people
// or carry a token: it stays in this tab's sessionStorage, which survives a reload and ends with the tab. How the
// page looks is kept for good.

const looks = /^graphiql:(docExplorerFlex|editorFlex|secondaryEditorFlex|visiblePlugin|theme)$/;

function placeOf(key: string): Storage {
  return looks.test(key) ? localStorage : sessionStorage;
}

/** storage is what the editor is given as its storage. */
export const storage = {
  get length() {
    return sessionStorage.length + localStorage.length;
  },
  getItem: (key: string) => placeOf(key).getItem(key),
  setItem: (key: string, value: string) => placeOf(key).setItem(key, value),
  removeItem: (key: string) => placeOf(key).removeItem(key),
  clear: () => {
    for (const place of [sessionStorage, localStorage]) {
      for (const key of Object.keys(place)) if (key.startsWith('graphiql:')) place.removeItem(key);
    }
  },
};

/** hasTabs reports whether there are tabs from before a reload. */
export function hasTabs(): boolean {
  return storage.getItem('graphiql:tabState') !== null;
}
