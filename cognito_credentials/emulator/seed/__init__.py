"""
A file in, the content of a new state out.

- ``file``: the whole file; describes its format
- ``kinds``: which kind of file it is, found by its content, and its tables
- ``cloudformation``: a template in, parts of a seed out; ``intrinsics`` resolves its functions, and
  ``template_yaml`` reads YAML
- ``terraform``: resources of Terraform in, parts of a seed out; ``terraform_files`` reads states and plans,
  ``terraform_plan`` finds what a plan does not know yet
- ``parts``: parts in any order in, tables of a seed out; the ids of what has none
- ``members``: one resource in, its properties out
- ``pool``: a ``[[pools]]`` table in, an identity pool with its roles out
- ``tables``: each other table in, rows of the state out
- ``entry``: one table in, its members out, each checked for its kind
"""
