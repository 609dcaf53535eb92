-- Public ids of panels' services. An id that was given never changes hands; one without panel was
-- made up in the settings and is kept from being given.
CREATE TABLE smm_service_id (
    id               TEXT NOT NULL PRIMARY KEY,
    upstream         TEXT NOT NULL,
    upstream_service TEXT NOT NULL
);
CREATE UNIQUE INDEX smm_service_id_source ON smm_service_id (upstream, upstream_service)
    WHERE upstream <> '';
