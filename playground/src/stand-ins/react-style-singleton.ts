// The package writes a <style> element, which the page's content security policy refuses; a constructed sheet it allows.
import { useEffect } from 'react';

export function stylesheetSingleton() {
  const sheet = new CSSStyleSheet();
  let users = 0;
  return {
    add(css: string) {
      users += 1;
      if (users === 1) {
        sheet.replaceSync(css);
        document.adoptedStyleSheets.push(sheet);
      }
    },
    remove() {
      users -= 1;
      if (users === 0) {
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
      }
    },
  };
}

export function styleHookSingleton() {
  const singleton = stylesheetSingleton();
  return (css: string, isDynamic?: boolean) => {
    useEffect(() => {
      singleton.add(css);
      return () => singleton.remove();
    }, [css && isDynamic]);
  };
}

export function styleSingleton() {
  const useStyle = styleHookSingleton();
  return function Sheet({ styles, dynamic }: { styles: string; dynamic?: boolean }) {
    useStyle(styles, dynamic);
    return null;
  };
}
