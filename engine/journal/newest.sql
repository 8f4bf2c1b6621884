CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0006');
CREATE TABLE alerts (
	at INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	severity VARCHAR NOT NULL, 
	code VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	count INTEGER NOT NULL, 
	last_at INTEGER NOT NULL, 
	acknowledged_at INTEGER, 
	cured_at INTEGER, 
	target VARCHAR NOT NULL, 
	PRIMARY KEY (at, "key")
);
CREATE TABLE equity (
	at INTEGER NOT NULL, 
	amount TEXT NOT NULL, 
	PRIMARY KEY (at)
);
CREATE TABLE event (
	seq INTEGER NOT NULL, 
	batch INTEGER NOT NULL, 
	at INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	body BLOB NOT NULL, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE TABLE fills (
	execution_id VARCHAR NOT NULL, 
	client_order_id VARCHAR NOT NULL, 
	position VARCHAR NOT NULL, 
	symbol VARCHAR NOT NULL, 
	side VARCHAR NOT NULL, 
	price TEXT NOT NULL, 
	size TEXT NOT NULL, 
	fee TEXT NOT NULL, 
	fee_currency VARCHAR NOT NULL, 
	fee_value TEXT, 
	liquidity VARCHAR NOT NULL, 
	at INTEGER NOT NULL, 
	PRIMARY KEY (execution_id)
);
CREATE TABLE identity (
	id INTEGER NOT NULL, 
	venue VARCHAR NOT NULL, 
	profile VARCHAR NOT NULL, 
	rest VARCHAR, 
	ws VARCHAR, 
	fingerprint VARCHAR NOT NULL, 
	currency VARCHAR NOT NULL, 
	at INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE lease (
	id INTEGER NOT NULL, 
	holder VARCHAR NOT NULL, 
	epoch INTEGER NOT NULL, 
	since INTEGER NOT NULL, instance VARCHAR DEFAULT '' NOT NULL, host VARCHAR DEFAULT '' NOT NULL, machine VARCHAR DEFAULT '' NOT NULL, wanted_by VARCHAR DEFAULT '' NOT NULL, pid INTEGER DEFAULT '0' NOT NULL, renewed_at INTEGER DEFAULT '0' NOT NULL, wanted_at INTEGER DEFAULT '0' NOT NULL, started INTEGER, 
	PRIMARY KEY (id)
);
CREATE TABLE level (
	name VARCHAR NOT NULL, 
	used FLOAT NOT NULL, 
	capacity FLOAT NOT NULL, 
	at INTEGER NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE meta (
	id INTEGER NOT NULL, 
	account VARCHAR NOT NULL, 
	created_at INTEGER NOT NULL, 
	format INTEGER NOT NULL, 
	last_seq INTEGER NOT NULL, 
	last_batch INTEGER NOT NULL, 
	last_hash BLOB NOT NULL, journal VARCHAR DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE orders (
	client_order_id VARCHAR NOT NULL, 
	venue_order_id VARCHAR, 
	position VARCHAR NOT NULL, 
	symbol VARCHAR NOT NULL, 
	side VARCHAR NOT NULL, 
	type VARCHAR NOT NULL, 
	role VARCHAR NOT NULL, 
	size TEXT NOT NULL, 
	filled TEXT NOT NULL, 
	average_price TEXT, 
	price TEXT, 
	"trigger" TEXT, 
	reduce_only BOOLEAN NOT NULL, 
	status VARCHAR NOT NULL, 
	created_at INTEGER NOT NULL, 
	closed_at INTEGER, 
	reason VARCHAR NOT NULL, 
	label VARCHAR NOT NULL, 
	PRIMARY KEY (client_order_id)
);
CREATE TABLE position_snapshots (
	at INTEGER NOT NULL, 
	position VARCHAR NOT NULL, 
	symbol VARCHAR NOT NULL, 
	side VARCHAR NOT NULL, 
	size TEXT NOT NULL, 
	entry TEXT, 
	mark TEXT, 
	unrealised TEXT, 
	stop TEXT, 
	at_stop TEXT, 
	protection VARCHAR NOT NULL, 
	currency VARCHAR NOT NULL, 
	PRIMARY KEY (at, position)
);
CREATE TABLE positions (
	id VARCHAR NOT NULL, 
	label VARCHAR NOT NULL, 
	symbol VARCHAR NOT NULL, 
	side VARCHAR NOT NULL, 
	size TEXT NOT NULL, 
	entry_size TEXT NOT NULL, 
	entry_price TEXT, 
	exit_price TEXT, 
	realised_pnl TEXT NOT NULL, 
	fees TEXT NOT NULL, 
	currency VARCHAR NOT NULL, 
	created_at INTEGER NOT NULL, 
	opened_at INTEGER, 
	closed_at INTEGER, 
	close_reason VARCHAR NOT NULL, 
	stop TEXT, 
	target TEXT, 
	protection VARCHAR NOT NULL, 
	naked_ns INTEGER NOT NULL, 
	r_multiple TEXT, 
	note VARCHAR NOT NULL, tags TEXT DEFAULT '[]' NOT NULL, mae TEXT, mfe TEXT, 
	PRIMARY KEY (id)
);
CREATE TABLE snapshot (
	seq INTEGER NOT NULL, 
	at INTEGER NOT NULL, 
	body BLOB NOT NULL, 
	hash BLOB NOT NULL, 
	chain BLOB NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE INDEX ix_orders_position ON orders (position);
CREATE INDEX ix_orders_created_at ON orders (created_at);
CREATE INDEX ix_fills_position ON fills (position);
CREATE INDEX ix_fills_at ON fills (at);
CREATE INDEX ix_positions_created_at ON positions (created_at);
CREATE VIEW trades AS
SELECT id, label, symbol, side, entry_size AS size, entry_price, exit_price, opened_at, closed_at,
       realised_pnl, fees, currency, r_multiple, mae, mfe, naked_ns, close_reason, tags, note
FROM positions
WHERE closed_at IS NOT NULL AND CAST(entry_size AS REAL) <> 0;
CREATE VIEW daily_pnl AS
SELECT DATE(closed_at / 1000000000, 'unixepoch') AS day, currency,
       COUNT(*) AS trades,
       SUM(CASE WHEN CAST(realised_pnl AS REAL) > 0 THEN 1 ELSE 0 END) AS wins,
       SUM(CASE WHEN CAST(realised_pnl AS REAL) < 0 THEN 1 ELSE 0 END) AS losses,
       ROUND(SUM(CAST(realised_pnl AS REAL)), 8) AS realised_pnl, ROUND(SUM(CAST(fees AS REAL)), 8) AS fees,
       MAX(CAST(realised_pnl AS REAL)) AS best, MIN(CAST(realised_pnl AS REAL)) AS worst
FROM trades
GROUP BY 1, 2;
CREATE VIEW fees_by_symbol AS
SELECT symbol, fee_currency,
       COUNT(*) AS fills,
       SUM(CASE WHEN liquidity = 'maker' THEN 1 ELSE 0 END) AS maker,
       SUM(CASE WHEN liquidity = 'taker' THEN 1 ELSE 0 END) AS taker,
       ROUND(SUM(CAST(fee AS REAL)), 8) AS fee, ROUND(SUM(CAST(fee_value AS REAL)), 8) AS fee_value
FROM fills
GROUP BY symbol, fee_currency;
CREATE VIEW refusals AS
SELECT e.seq, e.at,
       json_extract(e.text, '$.intent.id') AS intent,
       json_extract(e.text, '$.intent.intent') AS asked,
       COALESCE(json_extract(e.text, '$.intent.symbol'), '') AS symbol,
       COALESCE(json_extract(e.text, '$.intent.position'), '') AS position,
       json_extract(r.value, '$.code') AS code,
       json_extract(r.value, '$.value') AS value,
       json_extract(r.value, '$.bound') AS bound
FROM (SELECT seq, at, CAST(body AS TEXT) AS text FROM event WHERE kind = 'intent-taken') AS e,
     json_each(e.text, '$.answer.refusals') AS r;
