import { useEffect, useRef, useState } from 'preact/hooks';
import { isTenantId, pathText, shortId, tenantById, type Tenant, type TenantDirectory } from '../tenants';
import { useTenantSearch } from './use-tenant-search';

interface Props {
  directory: TenantDirectory;
  chosen: Tenant | null;
  choose: (tenant: Tenant) => void;
}

/**
 * A combobox after the ARIA authoring practices: type to search, arrows to move, Enter to choose, Escape to leave.
 * Enter never takes a row of an older search: it waits for the answer to the present text.
 */
export function TenantPicker({ directory, chosen, choose }: Props) {
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(0);
  const [enterPending, setEnterPending] = useState(false);
  const list = useRef<HTMLUListElement>(null);
  const text = typed.trim();
  const search = useTenantSearch(directory, text, open);
  const options = optionsFor(text, search.tenants, chosen);

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [active, open]);

  useEffect(() => {
    if (search.settled && enterPending) {
      setEnterPending(false);
      pick(onlyMatch(options, text));
    }
  }, [search.settled, enterPending]);

  function show() {
    if (!open) {
      searchFor('');
      setOpen(true);
    }
  }

  function close() {
    setOpen(false);
    setEnterPending(false);
  }

  function searchFor(next: string) {
    setTyped(next);
    setActive(0);
    setEnterPending(false);
  }

  function pick(tenant: Tenant | undefined) {
    if (tenant) {
      choose(tenant);
      close();
    }
  }

  function enter() {
    if (search.settled) {
      pick(options[active]);
    } else {
      setEnterPending(true);
    }
  }

  function move(step: number) {
    const next = active + step;
    if (next >= options.length) {
      search.more();
    }
    setActive(Math.max(0, Math.min(next, options.length - 1)));
  }

  function pressed(event: KeyboardEvent) {
    const keys: Record<string, () => void> = {
      ArrowDown: () => (open ? move(1) : show()),
      ArrowUp: () => (open ? move(-1) : show()),
      Enter: () => (open ? enter() : show()),
      Escape: close,
    };
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  }

  return (
    <div className="tenant-picker">
      <label htmlFor="tenant">Tenant</label>
      <div className="combobox">
        <input
          id="tenant"
          role="combobox"
          aria-expanded={open}
          aria-controls="tenant-options"
          aria-autocomplete="list"
          aria-activedescendant={open && options[active] ? optionId(options[active]) : undefined}
          autocomplete="off"
          spellcheck={false}
          placeholder={open ? 'Search by name, or an id' : 'Choose a tenant'}
          value={open ? typed : (chosen?.name ?? '')}
          onInput={({ currentTarget }) => {
            show();
            searchFor(currentTarget.value);
          }}
          onClick={show}
          onBlur={close}
          onKeyDown={pressed}
        />
        {open && (
          // Pressing the mouse must not take the focus from the input, which would close the list before the click.
          <div className="options" onMouseDown={(event) => event.preventDefault()}>
            <ul id="tenant-options" role="listbox" aria-label="Tenants" aria-busy={!search.settled} ref={list}>
              {options.map((tenant, index) => (
                <li
                  key={tenant.id}
                  id={optionId(tenant)}
                  role="option"
                  aria-selected={index === active}
                  aria-current={tenant.id === chosen?.id ? 'true' : undefined}
                  onMouseMove={() => setActive(index)}
                  onClick={() => pick(tenant)}
                >
                  <span className="name">{tenant.name}</span>
                  <span className="kind">{tenant.id === chosen?.id ? 'current' : kind(tenant)}</span>
                  <span className="path">{pathText(tenant)}</span>
                  <code className="short-id">{shortId(tenant)}</code>
                </li>
              ))}
            </ul>
            <p role="status">{search.status}</p>
            {search.hasMore && (
              <button type="button" tabIndex={-1} onClick={search.more}>
                Show more
              </button>
            )}
          </div>
        )}
      </div>
    </div>
  );
}

/** Without a text the current tenant stands first, so that opening the list and pressing Enter changes nothing. */
function optionsFor(text: string, found: Tenant[], chosen: Tenant | null): Tenant[] {
  if (isTenantId(text) && !found.length) {
    return [tenantById(text)];
  }
  return text || !chosen ? found : [chosen, ...found.filter(({ id }) => id !== chosen.id)];
}

/** What an Enter before the answer may choose: the only row, or the only one of exactly this name. */
function onlyMatch(options: Tenant[], text: string): Tenant | undefined {
  const named = options.filter(({ name }) => name.toLowerCase() === text.toLowerCase());
  const candidates = named.length ? named : options;
  return candidates.length === 1 ? candidates[0] : undefined;
}

function optionId(tenant: Tenant): string {
  return `tenant-${tenant.id}`;
}

function kind({ isPartner, isOrganization }: Tenant): string {
  return isPartner ? 'partner' : isOrganization ? 'organization' : '';
}
