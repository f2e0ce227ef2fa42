-- Takes from the role that owns the tables, and from everybody, the right to change or delete what is written once.
-- Why: a trigger refuses it already; without the privilege a statement that tries is refused before it begins, and a trigger
-- that somebody switched off is not the only guard. A superuser is above both; `ledger verify` is for what that one does.
-- Locks: of the four tables, for a moment.

revoke update, delete, truncate on entries, audit_log, transaction_notes, price_rows from public, current_user;
