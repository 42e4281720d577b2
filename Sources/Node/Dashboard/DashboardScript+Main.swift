extension DashboardScript {
    /// Views, actions, and when the page is drawn again.
    static let main = #"""
        const views = [
          ['', 'Overview', overview], ['tasks', 'Tasks', taskList, taskPage], ['schedules', 'Schedules', scheduleList, schedulePage],
          ['queues', 'Queues', queueList], ['workers', 'Workers', workerList], ['dead', 'Dead', dead], ['events', 'Events', events],
        ];

        /** What the page knows of the node between two looks at it. */
        const known = { cluster: null, namespaces: [], heardAt: null, isSilent: false };

        // Actions: what is asked first, what is done, what is said then.

        const act = (path, verb) => (name) => change('POST', `${path}/${encoded(name)}/${verb}`);
        const matching = () => chosen(route().query, ['queue', 'handler', 'q']);
        const inWords = () => Object.entries(matching()).map(([name, value]) => `${name} ${value}`).join(', ') || 'all of them';
        const jobText = (job) => job.state === 'running' ? `Job ${job.id} goes on: ${job.progress} %.`
          : `${job.retried ?? job.deleted ?? job.cancelled} tasks ${job.action === 'retry' ? 'brought back' : 'deleted'}.`;

        const actions = {
          skip: { run: async () => { byID('main').focus(); } },
          cancelTask: { ask: (id) => `Cancel task ${id}?`, run: (id) => change('DELETE', `tasks/${encoded(id)}`), said: (id) => `Task ${id} is cancelled.` },
          retryTask: { run: act('tasks', 'retry'), said: (id) => `Task ${id} runs again.` },
          deleteTask: {
            ask: (id) => `Delete task ${id} for good?`,
            run: (id) => change('DELETE', `tasks/${encoded(id)}`, { purge: 'true' }), said: (id) => `Task ${id} is deleted.`,
          },
          retryDead: {
            ask: () => `Bring dead tasks back (${inWords()})?`,
            run: () => change('POST', 'dead/retry', matching()), said: (_, job) => jobText(job),
          },
          deleteDead: {
            ask: () => `Delete dead tasks for good (${inWords()})?`,
            run: () => change('DELETE', 'dead', matching()), said: (_, job) => jobText(job),
          },
          stopJob: { run: (id) => change('DELETE', `jobs/${encoded(id)}`), said: (id) => `Job ${id} is stopped.` },
          pauseQueue: { run: act('queues', 'pause'), said: (name) => `Queue ${name} is paused.` },
          resumeQueue: { run: act('queues', 'resume'), said: (name) => `Queue ${name} goes on.` },
          pauseSchedule: { run: act('schedules', 'pause'), said: (name) => `Schedule ${name} is paused.` },
          resumeSchedule: { run: act('schedules', 'resume'), said: (name) => `Schedule ${name} goes on.` },
          triggerSchedule: {
            ask: (name) => `Run the task of schedule ${name} now?`, run: act('schedules', 'trigger'),
            said: (name, task) => `Schedule ${name} was triggered: task ${task.id}.`,
          },
          drainWorker: {
            ask: (id) => `Drain worker ${id}? It gets nothing new; what runs may finish.`,
            run: act('workers', 'drain'), said: (id) => `Worker ${id} gets nothing new.`,
          },
          undrainWorker: { run: act('workers', 'undrain'), said: (id) => `Worker ${id} gets work again.` },
        };

        function confirmed(question) {
          const dialog = byID('ask');
          byID('question').textContent = question;
          dialog.showModal();
          byID('no').focus();
          return new Promise((resolve) => {
            byID('yes').onclick = () => dialog.close('yes');
            byID('no').onclick = () => dialog.close('no');
            dialog.onclose = () => resolve(dialog.returnValue === 'yes');
            dialog.returnValue = 'no';
          });
        }

        async function perform(name, subject, element) {
          const action = actions[name];
          if (!action || (action.ask && !(await confirmed(action.ask(subject))))) return;
          element.disabled = true;
          try {
            const answer = await action.run(subject);
            if (action.said) say(action.said(subject, answer), 'good');
          } catch (error) {
            say(inPlainWords(error), 'bad');
          } finally {
            element.disabled = false;
          }
          if (name !== 'skip') refreshNow();
        }

        const saidMilliseconds = { good: 5_000, bad: 15_000 };
        let sayTimer = null;

        function say(text, tone) {
          const flash = byID('flash');
          flash.textContent = text;
          flash.dataset.tone = tone;
          clearTimeout(sayTimer);
          sayTimer = setTimeout(() => { flash.textContent = ''; }, saidMilliseconds[tone]);
        }

        function inPlainWords(error) {
          if (error instanceof Silence) return `This node does not answer: ${error.message}.`;
          if (error instanceof Refusal && error.status === 401) return 'This node wants to know who you are.';
          return error instanceof Refusal ? error.text : `This page has a mistake: ${error.message}`;
        }

        // Drawing.

        function fill(id, ...content) {
          morphChildren(byID(id), [...h('div', {}, content).childNodes]);
        }

        function showLife() {
          const live = byID('live');
          const text = known.isSilent ? 'no answer' : isLive ? 'live' : `every ${paces.polling / 1000} s`;
          live.dataset.state = known.isSilent ? 'lost' : isLive ? 'live' : 'polling';
          // Said again to those who listen only when it has changed.
          if (live.textContent !== text) live.textContent = text;
        }

        function showBanner(problem) {
          const cluster = known.cluster;
          const others = (cluster?.members ?? []).filter((member) => member.id !== cluster.node && member.api);
          fill('banner',
            problem && h('p', {}, problem),
            known.isSilent && others.length > 0 && h('p', {}, 'Other nodes: ', others.map((member) => [memberLink(member), ' '])),
            !known.isSilent && cluster?.problem && h('p', {}, cluster.problem),
            !known.isSilent && cluster && !cluster.leader && !cluster.problem && h('p', {},
              'This node knows no leader: less than a majority of the nodes may be there. What you see is what it knew last; changes have to wait.'));
        }

        function showFrame(current) {
          byID('home').setAttribute('href', to(''));
          fill('views', views.map(([name, title]) => h('a', {
            href: to(name), 'data-key': name, 'aria-current': name === current.name ? 'page' : null,
          }, title)));
          const cluster = known.cluster;
          byID('where').textContent = cluster ? `${cluster.cluster}, node ${cluster.node}` : '';
          document.title = cluster ? `Carillon ${cluster.cluster}` : 'Carillon';
          const names = [...new Set(['default', ...known.namespaces, namespace()])];
          const select = byID('namespace');
          morph(select, h('select', { id: 'namespace', 'data-value': namespace() }, names.map((name) =>
            h('option', { value: name, selected: name === namespace(), 'data-key': name }, name))));
        }

        async function draw() {
          const current = route();
          const place = location.hash;
          const view = views.find(([name]) => name === current.name);
          showFrame(current);
          const [cluster, namespaces] = await Promise.all([get('cluster'), get('namespaces', { limit: '1000' })]);
          known.cluster = cluster;
          known.namespaces = namespaces.items.map((each) => each.name);
          known.isSilent = false;
          known.heardAt = new Date();
          const make = view && (current.item ? view[3] : view[2]);
          const content = make ? await make(current) : [heading('There is no such page')];
          // Meanwhile the reader went elsewhere: that is drawn next.
          if (location.hash !== place) return;
          showFrame(current);
          showBanner(null);
          fill('main', content);
        }

        // When. A change is shown at once, further ones at their pace, and a slow node is asked less often.

        const paces = { least: 1_000, polling: 3_000, live: 10_000 };
        const restPerWork = 4;
        let isDrawing = false;
        let isWanted = false;
        let isUrgent = false;
        let drawTimer = null;
        let restUntil = 0;

        function refreshSoon() {
          isWanted = true;
          if (!isDrawing) schedule();
        }

        function schedule() {
          clearTimeout(drawTimer);
          const pace = isWanted ? 0 : isLive && !known.isSilent ? paces.live : paces.polling;
          drawTimer = setTimeout(refresh, Math.max(pace, restUntil - Date.now(), 0));
        }

        async function refresh() {
          if (document.hidden || isDrawing) return;
          isDrawing = true;
          isWanted = false;
          isUrgent = false;
          const began = Date.now();
          try {
            await draw();
          } catch (error) {
            known.isSilent = error instanceof Silence;
            const since = known.isSilent && known.heardAt ? ` What you see is of ${known.heardAt.toLocaleTimeString()}.` : '';
            showBanner(inPlainWords(error) + since);
            if (!known.heardAt || (error instanceof Refusal && error.status < 500)) fill('main');
          } finally {
            isDrawing = false;
            const rest = Math.min(paces.live, Math.max(paces.least, restPerWork * (Date.now() - began)));
            restUntil = isUrgent ? 0 : Date.now() + rest;
            showLife();
            schedule();
          }
        }

        /** At once, whatever the pace: the reader has asked. */
        function refreshNow() {
          isUrgent = true;
          restUntil = 0;
          refreshSoon();
        }

        // What the reader does.

        document.addEventListener('click', (event) => {
          const element = event.target.closest?.('[data-action]');
          if (element) perform(element.dataset.action, element.dataset.name ?? '', element);
        });

        document.addEventListener('submit', (event) => {
          event.preventDefault();
          const entered = Object.fromEntries([...new FormData(event.target)].map(([name, value]) => [name, value.trim()]));
          location.hash = to(event.target.dataset.path, entered);
        });

        document.addEventListener('change', (event) => {
          if (event.target.id === 'namespace') {
            const { name } = route();
            // What is shown in detail is in the namespace that was left.
            location.hash = `#/${name}${event.target.value === 'default' ? '' : '?ns=' + encoded(event.target.value)}`;
          } else if (event.target.form?.classList.contains('filter') && event.target.nodeName === 'SELECT') {
            event.target.form.requestSubmit();
          }
        });

        let followed = namespace();

        window.addEventListener('hashchange', () => {
          if (namespace() !== followed) {
            followed = namespace();
            follow();
          }
          window.scrollTo(0, 0);
          refreshNow();
        });

        document.addEventListener('visibilitychange', () => { if (!document.hidden) refreshNow(); });

        follow();
        refreshNow();

        """#
}
