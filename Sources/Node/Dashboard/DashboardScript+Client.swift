extension DashboardScript {
    /// Talking to the node, and where in the page we are.
    static let client = #"""
        /** What the node refused, in its own words. */
        class Refusal extends Error {
          constructor(status, problem) {
            super(problem?.detail ?? problem?.title ?? `The node answered with status ${status}.`);
            this.status = status;
            this.errors = problem?.errors ?? [];
          }
          get text() {
            return [this.message, ...this.errors.map((error) => `${error.pointer} ${error.detail}`)].join(' ');
          }
        }

        /** The node gave no answer at all. */
        class Silence extends Error {}

        const patienceMilliseconds = 20_000;

        /** Where we are: `#/tasks/t5?ns=shop&state=ready`. */
        function route() {
          const [path, query] = (location.hash.replace(/^#\/?/, '') + '?').split('?');
          const [name, ...rest] = path.split('/').map((part) => {
            try { return decodeURIComponent(part); } catch { return part; }
          });
          return { name, item: rest.join('/'), query: new URLSearchParams(query) };
        }

        const namespace = () => route().query.get('ns') || 'default';

        /** The address of a view; the namespace stays what it is. */
        function to(path, query = {}) {
          const parameters = new URLSearchParams();
          if (namespace() !== 'default') parameters.set('ns', namespace());
          for (const [name, value] of Object.entries(query)) if (value) parameters.set(name, value);
          const text = parameters.toString();
          return `#/${path}${text ? '?' + text : ''}`;
        }

        const namespaced = ['tasks', 'dead', 'jobs', 'workflows', 'schedules', 'queues', 'templates', 'events'];

        /** `path` begins behind `v1/`; its parts are encoded. */
        function address(path, query = {}) {
          const isNamespaced = namespaced.includes(path.split('/')[0]) && namespace() !== 'default';
          const root = isNamespaced ? `v1/namespaces/${encodeURIComponent(namespace())}/` : 'v1/';
          const url = new URL(root + path, document.baseURI);
          for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
          return url;
        }

        /** Numbers that JavaScript would round stay as they were written. */
        const exactly = (key, value, context) =>
          typeof value === 'number' && context?.source && JSON.rawJSON && String(value) !== context.source
            ? JSON.rawJSON(context.source) : value;

        async function send(method, url, body) {
          let response;
          try {
            response = await fetch(url, {
              method,
              credentials: 'same-origin',
              cache: 'no-store',
              headers: body === undefined ? {} : { 'content-type': 'application/json' },
              body: body === undefined ? undefined : JSON.stringify(body),
              signal: AbortSignal.timeout(patienceMilliseconds),
            });
          } catch (error) {
            throw new Silence(error.name === 'TimeoutError' ? 'no answer in time' : error.message);
          }
          const text = await response.text();
          if (response.ok) return text;
          let problem = null;
          try { problem = JSON.parse(text); } catch { /* Not from a node: something stands between. */ }
          throw new Refusal(response.status, problem);
        }

        /**
         * Reads show the node's own state: it is there at once, also without a leader, and it has what this page was told
         * has happened, since both come from the node's own log.
         */
        async function get(path, query = {}) {
          return JSON.parse(await send('GET', address(path, { stale: 'true', ...query })), exactly);
        }

        async function change(method, path, query, body) {
          const text = await send(method, address(path, query), body);
          return text ? JSON.parse(text, exactly) : null;
        }

        const encoded = encodeURIComponent;

        // What happens, from the node, as long as it is there.

        const followAgainMilliseconds = 5_000;
        let isLive = false;
        let stream = null;
        let followTimer = null;

        function follow() {
          stream?.close();
          clearTimeout(followTimer);
          isLive = false;
          const mine = new EventSource(address('events'));
          stream = mine;
          mine.onopen = () => {
            if (stream !== mine) return;
            isLive = true;
            refreshSoon();
          };
          // What has happened stands in what is asked for then.
          mine.onmessage = () => { if (stream === mine) refreshSoon(); };
          mine.onerror = () => {
            if (stream !== mine) return;
            isLive = false;
            showLife();
            // A browser comes back by itself only where the connection broke, not where it was refused.
            if (mine.readyState === EventSource.CLOSED) followTimer = setTimeout(follow, followAgainMilliseconds);
          };
        }

        /** Newest first. */
        async function recentEvents(limit, query = {}) {
          const url = address('events', { follow: 'false', limit: String(limit), ...query });
          return JSON.parse(await send('GET', url)).items;
        }

        """#
}
