namespace Reelbase.Tests.Campaigns.Economy.Mutations;

/// <summary>A change of one function: a piece of its text for another. Or, without a function, statements.</summary>
/// <param name="Function">Its name; all of that name that have the piece are changed.</param>
public sealed record Patch(string? Function, string Was, string Becomes)
{
    public Patch(string sql)
        : this(null, "", sql) { }
}

/// <summary>A fault that is put back into the SQL of a database of its own, to see that the model notices.</summary>
public sealed record Mutation(string Kind, string Fault, params Patch[] Patches)
{
    /// <summary>Puts the fault in; a piece that is not there any more is an error, so that the table cannot outlive the code.</summary>
    public async Task ApplyAsync(EconomyDatabase database)
    {
        foreach (var patch in Patches)
        {
            if (patch.Function is null)
            {
                await database.RunAsync(patch.Becomes);
                continue;
            }
            var definition = await database.ScalarAsync<string>(
                $"""
                select coalesce(string_agg(pg_get_functiondef(p.oid), ';'), '') from pg_proc p
                where p.pronamespace in ('public'::regnamespace, 'internal'::regnamespace) and p.proname = '{patch.Function}' and position($piece${patch.Was}$piece$ in p.prosrc) > 0
                """
            );
            if (definition.Length == 0)
            {
                throw new InvalidOperationException($"{patch.Function} has no \"{patch.Was}\" any more: the mutation \"{Fault}\" has to be written anew");
            }
            await database.RunAsync(definition.Replace(patch.Was, patch.Becomes, StringComparison.Ordinal));
        }
    }
}
