extension DashboardScript {
    /// Making and changing elements.
    static let elements = #"""
        const byID = (id) => document.getElementById(id);

        /** Makes an element. What users wrote only ever becomes text or the value of an attribute, never markup. */
        function h(name, attributes, ...children) {
          const element = document.createElement(name);
          for (const [attribute, value] of Object.entries(attributes ?? {})) {
            if (value === null || value === undefined || value === false) continue;
            element.setAttribute(attribute, value === true ? '' : String(value));
          }
          for (const child of children.flat(9)) {
            if (child === null || child === undefined || child === false) continue;
            element.append(child instanceof Node ? child : String(child));
          }
          return element;
        }

        const keyOf = (node) => node.nodeType === Node.ELEMENT_NODE ? node.getAttribute('data-key') : null;

        const isAlike = (left, right) =>
          left.nodeType === right.nodeType && left.nodeName === right.nodeName && keyOf(left) === keyOf(right);

        // Opened by the user, which is not to be undone.
        const kept = new Set(['open']);

        /**
         * Makes one element look like another, and leaves what is alike where it is: focus, selection and scroll positions
         * survive, and a button stays the same button while rows come and go around it.
         */
        function morph(from, to) {
          if (from.nodeType !== Node.ELEMENT_NODE) {
            if (from.data !== to.data) from.data = to.data;
            return;
          }
          const isEntered = from.getAttribute('data-value') !== to.getAttribute('data-value');
          for (const { name } of [...from.attributes]) {
            if (!to.hasAttribute(name) && !kept.has(name)) from.removeAttribute(name);
          }
          for (const { name, value } of to.attributes) {
            if (from.getAttribute(name) !== value) from.setAttribute(name, value);
          }
          morphChildren(from, [...to.childNodes]);
          // What is being typed stays; only another address makes it something else.
          if (isEntered) from.value = to.value;
        }

        function morphChildren(parent, wanted) {
          const keys = new Set(wanted.map(keyOf));
          for (const child of [...parent.childNodes]) {
            if (keyOf(child) !== null && !keys.has(keyOf(child))) child.remove();
          }
          const keyed = new Map([...parent.childNodes].map((child) => [keyOf(child), child]));
          let place = parent.firstChild;
          for (const child of wanted) {
            const match = keyOf(child) === null ? place : keyed.get(keyOf(child));
            if (match && isAlike(match, child)) {
              if (match === place) place = place.nextSibling;
              else parent.insertBefore(match, place);
              morph(match, child);
            } else {
              parent.insertBefore(child, place);
            }
          }
          while (place) {
            const next = place.nextSibling;
            place.remove();
            place = next;
          }
        }

        """#
}
