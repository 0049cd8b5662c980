"""The contract: the only place that names a column. Pure: it reads no more than the contract's own file.

| chapter | modules |
|---|---|
| what it says | `model`: `Contract` and `Column`; `source`, `elsewhere`, `spelling`, `allowance`, `own_columns` |
| from text to document | `text`, `document`, `yaml_values`, `yaml_scalars`, `tables` |
| from document to contract | `odcs`, `standard`, `strict`, `table_contract`, `columns` |
| types | `types`, `type_names`, `column_types`, `logical`, `options`, `structures`, `own_types` |
| what Spark computes | `transforms`, `expressions` |
| rules | `value_rules`, `patterns`, `moments`; `checks`: `quality`, `metrics`, `queries`, `functions`, `relationships` |
| the source | `find_source`, `servers`, `read_source`, `source_place`, `source_settings`, `encodings`, `run_path` |
| settings | `given`, `properties`, `schedule`, `names` |
| mistakes, and what has no effect | `mistake`, `mistakes`, `told`, `fields`, `effects` |
| all contracts of an installation | `folder` |
"""

from batchstream.contract.model import Column, Contract
from batchstream.contract.odcs import load_contract, load_contracts, parse_contract, parse_contracts
from batchstream.contract.text import contract_text

__all__ = ["Column", "Contract", "contract_text", "load_contract", "load_contracts", "parse_contract", "parse_contracts"]
