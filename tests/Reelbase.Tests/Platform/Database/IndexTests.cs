using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>Every index costs each write of its table: each says what it is for, and none repeats what another has.</summary>
[Collection(SharedProduct.Name)]
public sealed class IndexTests(TestSystem system)
{
    [Fact]
    public async Task Every_index_names_the_query_that_needs_it() =>
        Assert.Empty(
            await system.RowsAsync(
                """
                select i.indexrelid::regclass from pg_index i join pg_class c on c.oid = i.indrelid
                where c.relnamespace = 'public'::regnamespace and obj_description(i.indexrelid, 'pg_class') is null
                  and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = i.indrelid)
                """
            )
        );

    [Fact]
    public async Task No_index_is_the_beginning_of_another_or_what_a_unique_constraint_has() =>
        Assert.Empty(
            await system.RowsAsync(
                """
                with i as (
                  select x.indexrelid::regclass::text as name, x.indrelid, x.indisunique, c.relam, x.indnkeyatts as keys, x.indkey::int2[] as columns,
                    x.indclass::oid[] as classes, x.indcollation::oid[] as collations, x.indoption::int2[] as options,
                    pg_get_expr(x.indexprs, x.indrelid) as expressions, pg_get_expr(x.indpred, x.indrelid) as predicate
                  from pg_index x join pg_class c on c.oid = x.indexrelid join pg_class t on t.oid = x.indrelid where t.relnamespace = 'public'::regnamespace)
                select a.name, b.name from i a join i b on a.indrelid = b.indrelid and a.relam = b.relam and a.name <> b.name
                  and a.keys <= b.keys and a.columns[0:a.keys - 1] = b.columns[0:a.keys - 1] and a.classes[0:a.keys - 1] = b.classes[0:a.keys - 1]
                  and a.collations[0:a.keys - 1] = b.collations[0:a.keys - 1]
                  and (a.options[0:a.keys - 1] = b.options[0:a.keys - 1] or a.keys = 1)
                  and a.expressions is not distinct from b.expressions and a.predicate is not distinct from b.predicate
                -- What is unique is a rule of its own, unless the other says the same.
                where not a.indisunique or (b.indisunique and a.keys = b.keys and a.name > b.name)
                """
            )
        );
}
