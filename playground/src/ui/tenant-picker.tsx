import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import type { Session } from '../session';
import { isTenantId, tenantById, type Tenant } from '../tenants';
import { useTenantSearch } from './use-tenant-search';

interface Props {
  session: Session;
  chosen: Tenant | null;
  choose: (tenant: Tenant) => void;
}

/** A combobox after the ARIA authoring practices: type to search, arrows to move, Enter to choose, Escape to leave. */
export function TenantPicker({ session, chosen, choose }: Props) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const search = useTenantSearch(session, text.trim(), open);

  const found = search.tenants;
  const options = isTenantId(text.trim()) && !found.length ? [tenantById(text.trim())] : found;

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [active, open]);

  function show() {
    if (!open) {
      setText('');
      setActive(0);
      setOpen(true);
    }
  }

  function pick(tenant: Tenant | undefined) {
    if (tenant) {
      choose(tenant);
      setOpen(false);
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
      Enter: () => (open ? pick(options[active]) : show()),
      Escape: () => setOpen(false),
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
          ref={input}
          role="combobox"
          aria-expanded={open}
          aria-controls="tenant-options"
          aria-autocomplete="list"
          aria-activedescendant={open && options[active] ? optionId(options[active]) : undefined}
          autoComplete="off"
          spellCheck={false}
          placeholder={open ? 'Search by name, or an id' : 'Choose a tenant'}
          value={open ? text : (chosen?.name ?? '')}
          onChange={(event) => {
            show();
            setText(event.target.value);
            setActive(0);
          }}
          onClick={show}
          onBlur={() => setOpen(false)}
          onKeyDown={pressed}
        />
        {open && (
          // Pressing the mouse must not take the focus from the input, which would close the list before the click.
          <div className="options" onMouseDown={(event) => event.preventDefault()}>
            <ul id="tenant-options" role="listbox" aria-label="Tenants" ref={list}>
              {options.map((tenant, index) => (
                <li
                  key={tenant.id}
                  id={optionId(tenant)}
                  role="option"
                  aria-selected={index === active}
                  className={tenant.id === chosen?.id ? 'chosen' : undefined}
                  onMouseMove={() => setActive(index)}
                  onClick={() => pick(tenant)}
                >
                  <span className="name">{tenant.name}</span>
                  <span className="kind">{kind(tenant)}</span>
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

function optionId(tenant: Tenant): string {
  return `tenant-${tenant.id}`;
}

function kind({ isPartner, isOrganization }: Tenant): string {
  return isPartner ? 'partner' : isOrganization ? 'organisation' : '';
}
