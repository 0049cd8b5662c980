"""Every field of the standard: what batchstream does with it, that it has no effect here, or why it is refused.

`docs/contracts.md` shows this table, and a test compares it with the standard's own model.
"""

from enum import StrEnum
from typing import Any, NamedTuple

from open_data_contract_standard import model as standard
from pydantic import BaseModel


class Effect(StrEnum):
    """What becomes of a field."""

    DONE = "done"
    TOLD = "no effect"
    REFUSED = "refused"


class Field(NamedTuple):
    """What becomes of a field.

    Attributes:
        effect: See `Effect`.
        note: What is done with it; or what is not done, for messages.
        silent: Values that ask for nothing.
    """

    effect: Effect
    note: str
    silent: tuple[Any, ...] = ()


ASKS_FOR_NOTHING: tuple[Any, ...] = (None, False, -1, "", [], {})
"""Values that tools write for a field that nobody filled in."""


def _done(**notes: str) -> dict[str, Field]:
    return {name: Field(Effect.DONE, note) for name, note in notes.items()}


def _told(*names: str, note: str = "is for people", silent: tuple[Any, ...] = ()) -> dict[str, Field]:
    return {name: Field(Effect.TOLD, note, silent) for name in names}


def _refused(note: str, *names: str, silent: tuple[Any, ...] = ()) -> dict[str, Field]:
    return {name: Field(Effect.REFUSED, note, silent) for name in names}


OPERATORS = (
    *("mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo"),
    *("mustBeBetween", "mustNotBeBetween"),
)

FIELDS: dict[type[BaseModel], dict[str, Field]] = {
    standard.OpenDataContractStandard: {
        **_done(
            apiVersion="a version 3 of the standard",
            kind="`DataContract`",
            version="noted in the ledger with each load",
            status="`retired`: the DAG has no schedule",
            description="`purpose` is shown with the DAG",
            servers="one of type `local`, `s3` or `sftp` is the source, if no `sourcePath` is given",
            schema="the table",
            customProperties="[the settings](#settings-under-customproperties-of-the-contract)",
        ),
        **_told(
            "id", "name", "tenant", "tags", "dataProduct", "domain", "context", "support", "price", "team", "contractCreatedTs"
        ),
        **_told("authoritativeDefinitions"),
        **_told("roles", note="nothing is granted: see docs/operating.md for the role that reads"),
        **_told("slaDefaultElement", "slaProperties", note="nothing measures it"),
    },
    standard.Description: {
        **_done(purpose="shown with the DAG"),
        **_told("usage", "limitations", "authoritativeDefinitions", "customProperties"),
    },
    standard.SchemaObject: {
        **_done(name="the table's name", physicalName="goes before `name`", properties="the columns", quality="rules"),
        **_done(customProperties="[the settings](#several-tables) of this table, which go before those of the contract"),
        **_told("id", "description", "businessName", "synonyms", "authoritativeDefinitions", "tags"),
        **_told("dataGranularityDescription", "context"),
        **_told("deprecated", note="the table is loaded as any other"),
        **_told("physicalType", note="a table is made", silent=("table",)),
        **_told("logicalType", note="a table is made", silent=("object",)),
        **_done(relationships="[foreign keys](#foreign-keys), checked before the publish"),
    },
    standard.SchemaProperty: {
        **_done(
            name="the name in the header of the source",
            physicalName="the name in the table",
            physicalType="the type",
            logicalType="the type, without `physicalType`",
            logicalTypeOptions="rules of each value",
            primaryKey="the key",
            primaryKeyPosition="the place in the key",
            required="NOT NULL",
            unique="a rule over the landing",
            enum="the allowed values",
            quality="rules",
            customProperties="`indexed`",
        ),
        **_told("id", "description", "businessName", "synonyms", "authoritativeDefinitions", "tags", "examples"),
        **_told("criticalDataElement"),
        **_told("classification", note="nothing is granted or hidden by it"),
        **_told("deprecated", note="the column is loaded as any other"),
        **_told("encryptedName", note="nothing is encrypted; the column is loaded as the source has it"),
        **_done(
            transformLogic="[an expression over the source's columns](#derived-columns); not beside `transformSourceObjects`",
            transformSourceObjects="`transformLogic` is somebody else's: the source holds its result",
        ),
        **_told("transformDescription"),
        **_told("partitioned", "partitionKeyPosition", note="the table is not partitioned by it"),
        **_done(relationships="[foreign keys](#foreign-keys), checked before the publish"),
        **_refused("is computed from other columns, and no column of a source", "semanticType", silent=("column", "dimension")),
        **_told("properties", "items", "map", note="what is inside of a value is not checked"),
    },
    standard.EnumValue: {
        **_done(value="an allowed value"),
        **_told("id", "label", "description", "tags", "customProperties", "authoritativeDefinitions"),
    },
    standard.DataQuality: {
        **_done(
            type="`library`, `sql`; `text` and `custom` are not measured",
            name="named in messages",
            metric="what is measured",
            rule="an older name of `metric`",
            arguments="of the metric",
            unit="`rows` or `percent`",
            severity="`error` stops the publish; any other is measured, and stops nothing",
            query="what is measured, for `sql`",
            **dict.fromkeys(OPERATORS, "compared with what is measured"),
        ),
        **_told("id", "authoritativeDefinitions", "businessImpact", "description", "dimension", "method", "tags"),
        **_told("schedule", "scheduler", note="a rule is measured with each load"),
        **_told("customProperties", note="none of them is batchstream's"),
        **_told("engine", "implementation", note="only SQL is measured"),
    },
    standard.CustomProperty: {
        **_done(property="the name", value="the value", vendor="`batchstream`: it is ours"),
        **_told("id", "description"),
    },
    standard.Server: {
        **_done(
            type="`local`, `s3` or `sftp`",
            path="`sourcePath`, of `local`",
            location="`sourcePath`, of `s3` and `sftp`",
            endpointUrl="of `s3`: compared with what the connection says",
            format="`sourceFormat`",
            delimiter="`sourceDelimiter`",
            encoding="`sourceEncoding`",
            server="named in messages",
        ),
        **_told(*("id", "description", "environment", "roles", "customProperties")),
        **_told(*("account", "catalog", "catalogUrl", "database", "dataset", "host", "namespace")),
        **_told(*("port", "project", "region", "regionName", "schema", "serviceName", "stagingDir", "stream", "warehouse")),
        **_told("workgroup"),
    },
}

WITHIN_TOLD = (
    *(standard.AuthoritativeDefinition, standard.Support, standard.Pricing, standard.TeamMember, standard.Team, standard.Role),
    *(standard.ServiceLevelAgreementProperty, standard.Relationship, standard.Synonym, standard.Context),
    *(standard.VerifiedStatement, standard.Constraint, standard.MapDefinition),
)
"""Classes of which each object stands below a field that has no effect, or is refused."""
