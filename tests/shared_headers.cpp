// Nothing: precompiled headers need a program.
