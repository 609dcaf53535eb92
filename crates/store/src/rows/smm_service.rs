//! Public ids of panels' services.

use crate::sql::{Connection, params};

use crate::sql::cells::{Cells, exists, many};
use crate::sql::fault::Fault;

/// Whether the id or the panel's service is in use already.
pub(crate) fn is_numbered(
    conn: &dyn Connection,
    id: &str,
    upstream: &str,
    service: &str,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM smm_service_id WHERE id = ?1 \
               OR (upstream = ?2 AND upstream_service = ?3 AND upstream <> '')";
    exists(conn, sql, params![id, upstream, service])
}

/// Gives an id.
pub(crate) fn number(
    conn: &dyn Connection,
    id: &str,
    upstream: &str,
    service: &str,
) -> Result<(), Fault> {
    let sql = "INSERT INTO smm_service_id (id, upstream, upstream_service) VALUES (?1, ?2, ?3)";
    conn.write(sql, params![id, upstream, service])
}

/// All ids: id, panel, the panel's service id.
pub(crate) fn all(conn: &dyn Connection) -> Result<Vec<(String, String, String)>, Fault> {
    let sql = "SELECT id, upstream, upstream_service FROM smm_service_id ORDER BY id";
    many(conn, sql, params![], |row| {
        let cells = &mut Cells::new("smm_service_id", row);
        Ok((cells.take()?, cells.take()?, cells.take()?))
    })
}
