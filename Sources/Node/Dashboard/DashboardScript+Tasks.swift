extension DashboardScript {
    /// Tasks, one by one and in lists; the dead.
    static let tasks = #"""
        const taskFilters = ['state', 'queue', 'handler', 'q', 'schedule', 'workflow', 'worker', 'tag', 'cursor'];
        const pageItems = '50';
        const waiting = ['scheduled', 'blocked', 'ready'];
        const canRetry = (task) => ['dead', 'cancelled', 'expired'].includes(task.state);
        const canCancel = (task) => task.state === 'running' || waiting.includes(task.state);

        function taskButtons(task) {
          return [
            canCancel(task) && button('Cancel', 'cancelTask', task.id),
            canRetry(task) && button('Retry', 'retryTask', task.id),
            task.state === 'dead' && button('Delete', 'deleteTask', task.id),
          ].filter(Boolean);
        }

        function taskTable(items, none) {
          return table('Tasks', items, (task) => task.id, [
            ['Task', (task) => taskLink(task.id)],
            ['State', (task) => [standing(task.state), task.state === 'running' && task.progress !== null ? ` ${task.progress} %` : null]],
            ['Handler', (task) => task.handler],
            ['Queue', (task) => task.queue],
            ['Attempt', (task) => `${task.attempt}/${task.retry.attempts}`, 'number'],
            ['Worker', (task) => task.worker],
            ['Created', (task) => time(task.createdAt)],
            ['Due', (task) => waiting.includes(task.state) ? time(task.runAt) : null],
            ['Ended', (task) => time(task.finishedAt)],
            ['Note', (task) => task.error?.message ?? task.progressNote ?? '', 'text'],
            ['Actions', taskButtons, 'actions'],
          ], none);
        }

        const chosen = (query, names) => Object.fromEntries([...query].filter(([name]) => names.includes(name)));

        async function taskList({ query }) {
          const page = await get('tasks', { ...chosen(query, taskFilters), limit: pageItems });
          return [
            heading('Tasks'),
            filter('tasks', choice('State', 'state', query.get('state'), taskStates),
              field('Queue', 'queue', query.get('queue')), field('Handler', 'handler', query.get('handler')),
              field('Text', 'q', query.get('q'))),
            taskTable(page.items, page.next ? 'None on this page; there may be some on the next.' : 'No such task.'),
            pages('tasks', query, page.next),
          ];
        }

        async function explanation(task) {
          if (!waiting.includes(task.state)) return null;
          const found = await get(`tasks/${encoded(task.id)}/explain`);
          return [
            h('h3', {}, 'Why it does not run'),
            table('Constraints', found.constraints, (each) => each.constraint + each.detail, [
              ['Because', (each) => each.detail, 'text'],
              ['Until', (each) => time(each.until)],
              ['What would end that', (each) => each.release, 'text'],
            ], 'Nothing holds it back.'),
          ];
        }

        async function log(task, attempt) {
          if (!attempt) return null;
          const url = address(`tasks/${encoded(task.id)}/logs`, { attempt, stale: 'true' });
          let text = '';
          try { text = await send('GET', url); } catch (error) {
            if (!(error instanceof Refusal)) throw error;
            return [h('h3', {}, `Log of attempt ${attempt}`), h('p', { class: 'none' }, error.text)];
          }
          return [
            h('h3', {}, `Log of attempt ${attempt}`),
            text ? h('pre', { tabindex: '0' }, text) : h('p', { class: 'none' }, 'It wrote nothing.'),
          ];
        }

        function result(task) {
          if (task.state !== 'succeeded') return null;
          const stored = task.storedResult;
          if (!stored) return [h('h3', {}, 'Result'), json(task.result)];
          const where = stored.node ? `on node ${stored.node}` : 'in the bucket';
          return [
            h('h3', {}, 'Result'),
            h('p', {}, `${stored.bytes} bytes, ${where}: `,
              h('a', { href: address(`tasks/${encoded(task.id)}/result`), download: `${task.id}.json` }, 'download')),
          ];
        }

        function attempts(task) {
          const path = `tasks/${encoded(task.id)}`;
          return [
            h('h3', {}, 'Attempts'),
            table('Attempts', [...task.attempts].reverse(), (attempt) => String(attempt.attempt), [
              ['Attempt', (attempt) => attempt.attempt, 'number'],
              ['Outcome', (attempt) => standing(attempt.outcome)],
              ['Worker', (attempt) => attempt.worker],
              ['Began', (attempt) => time(attempt.startedAt)],
              ['Ended', (attempt) => time(attempt.finishedAt)],
              ['Log', (attempt) => attempt.logBytes !== null || attempt.outcome === 'running'
                ? link(attempt.logBytes === null ? 'so far' : `${attempt.logBytes} bytes`, path, { log: String(attempt.attempt) }) : null],
            ], 'There was none yet.'),
          ];
        }

        async function taskPage({ item, query }) {
          const task = await get(`tasks/${encoded(item)}`);
          const [why, text] = await Promise.all([explanation(task), log(task, query.get('log'))]);
          const labels = Object.entries(task.meta).map(([name, value]) => `${name}=${value}`).join(', ');
          return [
            heading(`Task ${task.id}`),
            h('p', {}, standing(task.state), ' ', taskButtons(task)),
            task.progress !== null || task.progressNote
              ? h('p', {}, task.progress !== null && h('progress', { max: '100', value: task.progress, 'aria-label': 'Progress' }),
                ` ${task.progress !== null ? task.progress + ' % ' : ''}${task.progressNote ?? ''}`) : null,
            task.error && h('p', {}, h('strong', {}, `${task.error.kind}, attempt ${task.error.attempt}: `), task.error.message),
            facts([
              ['Handler', task.handler],
              ['Queue', link(task.queue, 'tasks', { queue: task.queue })],
              ['Priority', task.priority],
              ['Attempts', `${task.attempt} of ${task.retry.attempts}, ${task.retry.backoff} from ${task.retry.initial} to ${task.retry.max}`],
              ['Due', time(task.runAt)], ['Created', time(task.createdAt)],
              ['Started', time(task.startedAt)], ['Ended', time(task.finishedAt)],
              ['Worker', task.worker], ['Timeout', task.timeout],
              task.overallTimeout && ['Overall timeout', task.overallTimeout],
              task.expires && ['Expires', task.expires],
              task.key && ['Key', task.key], labels && ['Labels', labels],
              task.tags.length > 0 && ['Tags', task.tags.join(', ')],
              task.routingKey && ['Routing key', task.routingKey],
              task.delivery !== 'atLeastOnce' && ['Delivery', task.delivery],
              task.after.length > 0 && ['After', task.after.map((id) => [taskLink(id), ' '])],
              task.schedule && ['Schedule', task.schedule],
              task.workflow && ['Workflow', link(task.workflow, 'tasks', { workflow: task.workflow })],
              task.template && ['Template', task.template],
              task.cachedFrom && ['Result of', taskLink(task.cachedFrom)],
              task.webhook && ['Webhook', task.webhook],
            ]),
            why, result(task), attempts(task), text,
            h('h3', {}, 'Payload'), json(task.payload),
          ];
        }

        const deadFilters = ['queue', 'handler', 'q', 'cursor'];

        function jobs(items) {
          const count = (job) => job.cancelled ?? job.retried ?? job.deleted;
          return items.length === 0 ? null : [
            h('h3', {}, 'Bulk jobs'),
            table('Bulk jobs', items, (job) => job.id, [
              ['Job', (job) => job.id], ['State', (job) => standing(job.state)],
              ['Does', (job) => job.action], ['Tasks', (job) => count(job), 'number'],
              ['Progress', (job) => `${job.progress} %`, 'number'],
              ['Of', (job) => JSON.stringify(job.filter), 'text'],
              ['Began', (job) => time(job.createdAt)],
              ['Actions', (job) => job.state === 'running' ? button('Stop', 'stopJob', job.id) : '', 'actions'],
            ], ''),
          ];
        }

        async function dead({ query }) {
          const [page, found] = await Promise.all([
            get('dead', { ...chosen(query, deadFilters), limit: pageItems }), get('jobs', { limit: '5' }),
          ]);
          return [
            heading('Dead tasks'),
            h('p', { class: 'none' }, 'Their attempts are spent. They are kept until they are brought back, deleted, or too old.'),
            filter('dead', field('Queue', 'queue', query.get('queue')), field('Handler', 'handler', query.get('handler')),
              field('Text', 'q', query.get('q'))),
            page.items.length > 0 && h('p', {},
              button('Retry all that match', 'retryDead', ''), button('Delete all that match', 'deleteDead', '')),
            taskTable(page.items, page.next ? 'None on this page; there may be some on the next.' : 'None: all is well.'),
            pages('dead', query, page.next), jobs(found.items),
          ];
        }

        """#
}
