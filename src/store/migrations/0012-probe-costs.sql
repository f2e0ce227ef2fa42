-- What probes of a running gateway cost, so that the vendor's cost in the ledger is complete.
-- Why a function: like every money move, one call in one transaction. Locks: none, no balance moves.

-- Books the vendor's cost of a probe to the operator, whom no customer pays for it. What is booked already stays as it is.
create function ledger_probe(p_tx text, p_cost numeric) returns void language plpgsql as $$
declare
  v_now timestamptz := clock_timestamp();
begin
  if p_cost is null or p_cost <= 0 then
    raise exception 'Cannot book the probe %: its cost is not above zero', p_tx;
  end if;
  if exists (select 1 from entries e where e.tx_id = p_tx) then
    return;
  end if;
  insert into entries (tx_id, kind, ledger_account, account_id, amount, created_at) values
    (p_tx, 'probe', 'vendor_cost', 'operator', -p_cost, v_now),
    (p_tx, 'probe', 'vendor_payable', 'operator', p_cost, v_now);
end $$;
