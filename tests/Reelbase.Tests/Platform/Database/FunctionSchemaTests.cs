using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>Functions that roles may execute lie in public, and everything that only the owner executes lies in internal, which no role may even use.</summary>
public sealed class FunctionSchemaTests(SignatureTests.Two databases) : IClassFixture<SignatureTests.Two>
{
    private const string Roles = "('anon', 'authenticated', 'service_role', 'reelbase_api', 'reelbase_worker', 'reelbase_admin')";

    /// <summary>What no role may execute and lies in public all the same, and why.</summary>
    private static readonly Dictionary<string, string> PublicForTheOwner = new(StringComparer.Ordinal)
    {
        ["add_credits"] = "the design names it: scripts call it as the owner by its plain name",
        ["check_rate_limit"] = "the same",
        ["deduct_credits"] = "the same",
        ["write_ledger"] = "scripts that correct a balance call it as the owner by its plain name",
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_function_lies_in_public_when_a_role_may_execute_it_or_for_a_reason_that_is_said_here(bool isUpgraded)
    {
        var found = await RowsAsync(
            isUpgraded,
            $"""
            select distinct p.proname from pg_proc p
            where p.pronamespace = 'public'::regnamespace and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
              and p.proacl is not null and not exists (select from pg_roles r where r.rolname in {Roles} and has_function_privilege(r.oid, p.oid, 'execute'))
            """
        );
        Assert.Equal(PublicForTheOwner.Keys.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nobody_but_the_owner_executes_an_internal_function_or_uses_its_schema(bool isUpgraded)
    {
        Assert.NotEmpty(
            await RowsAsync(isUpgraded, "select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'internal'")
        );
        Assert.Empty(
            await RowsAsync(
                isUpgraded,
                """
                select p.oid::regprocedure || ' by ' || coalesce(nullif(a.grantee, 0)::regrole::text, 'everybody')
                from pg_proc p join pg_namespace n on n.oid = p.pronamespace, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                where n.nspname = 'internal' and a.grantee <> 'reelbase_owner'::regrole
                """
            )
        );
        Assert.Empty(
            await RowsAsync(isUpgraded, "select proname from pg_proc where pronamespace = 'internal'::regnamespace and proowner <> 'reelbase_owner'::regrole")
        );
        Assert.Empty(
            await RowsAsync(
                isUpgraded,
                """
                select n.nspname || ': ' || a.privilege_type || ' to ' || coalesce(nullif(a.grantee, 0)::regrole::text, 'everybody')
                from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
                where (n.nspname = 'internal' or n.nspname = 'public' and a.privilege_type = 'CREATE') and a.grantee <> 'reelbase_owner'::regrole
                """
            )
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_name_is_given_in_one_of_the_two_schemas(bool isUpgraded) =>
        Assert.Empty(
            await RowsAsync(
                isUpgraded,
                """
                select proname from pg_proc where pronamespace in ('public'::regnamespace, 'internal'::regnamespace)
                group by proname having count(distinct pronamespace) > 1
                """
            )
        );

    /// <summary>One that pins no search path runs with its caller's, which need not have internal in it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_function_finds_internal_ones_by_its_search_path_or_names_their_schema(bool isUpgraded) =>
        Assert.Empty(
            await RowsAsync(
                isUpgraded,
                """
                select f.oid::regprocedure || ': ' || i.proname
                from pg_proc f join pg_proc i on i.pronamespace = 'internal'::regnamespace and regexp_replace(f.prosrc, '--[^\n]*', '', 'g') ~ ('(^|[^a-z0-9_.])' || i.proname || '\s*\(')
                where f.pronamespace in ('public'::regnamespace, 'internal'::regnamespace) and f.proowner = 'reelbase_owner'::regrole
                  and not coalesce('search_path=internal, public, pg_temp' = any (f.proconfig), false)
                """
            )
        );

    /// <summary>A call that a node of the previous release began before the migration, and that calls an internal function only after it.</summary>
    [Fact]
    public async Task A_call_that_runs_while_functions_move_finds_them_to_its_end()
    {
        var owner = await OldNode.DatabaseAsync();
        await TestCluster.ExecuteAsync(
            owner,
            """
            set role reelbase_owner;
            create function held_call() returns integer language plpgsql security definer set search_path = public, pg_temp as $$
            begin
              perform pg_advisory_xact_lock(9099);
              return snap_duration('4', null)::integer;
            end
            $$;
            grant execute on function held_call() to reelbase_api;
            """
        );
        await using var holder = new NpgsqlConnection(owner + ";Pooling=false");
        await holder.OpenAsync();
        await ExecuteAsync(holder, "select pg_advisory_lock(9099)");
        await using var node = new NpgsqlConnection(ConnectionStrings.From(new DatabaseOptions(), owner).Api + ";Pooling=false;Command Timeout=0");
        await node.OpenAsync();
        await using var call = new NpgsqlCommand("select held_call()", node);
        var answer = call.ExecuteScalarAsync();
        await Eventually.IsAsync(
            () => OneAsync(owner, $"select count(*) from pg_locks where locktype = 'advisory' and not granted and pid = {node.ProcessID}"),
            waiting => waiting == "1"
        );
        var migration = new Migrator(owner, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None);
        // Either it waits for the call with its first file committed, or it has moved the functions already.
        await Eventually.IsAsync(
            async () => migration.IsCompleted ? "1" : await OneAsync(owner, "select count(*) from pg_namespace where nspname = 'internal'"),
            made => made == "1"
        );
        await ExecuteAsync(holder, "select pg_advisory_unlock(9099)");
        Assert.Equal(4, await answer);
        Assert.Null((await migration).Older);
        Assert.Equal(4, await call.ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_migrator_that_ends_while_it_waits_leaves_the_waiting_to_the_next_one()
    {
        var owner = await OldNode.DatabaseAsync();
        await using var node = new NpgsqlConnection(ConnectionStrings.From(new DatabaseOptions(), owner).Api + ";Pooling=false");
        await node.OpenAsync();
        await ExecuteAsync(node, "begin; select 1 from pg_class limit 1");
        using var ends = new CancellationTokenSource();
        var first = new Migrator(owner, NullLogger.Instance).RunAsync(dryRun: false, ends.Token);
        await Eventually.IsAsync(() => OneAsync(owner, "select count(*) from pg_namespace where nspname = 'internal'"), made => made == "1");
        await ends.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => first);
        var since = await OneAsync(owner, "select clock_timestamp()::text");
        var second = new Migrator(owner, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None);
        await Eventually.IsAsync(
            async () =>
                second.IsCompleted
                    ? "it did not wait"
                    : await OneAsync(
                        owner,
                        $"select count(*) from pg_stat_activity where datname = current_database() and query like '%virtualxid%' and pid <> pg_backend_pid() and query_start > '{since}'"
                    ),
            waiting => waiting != "0"
        );
        Assert.False(second.IsCompleted);
        await ExecuteAsync(node, "rollback");
        Assert.Null((await second).Older);
    }

    [Fact]
    public async Task A_schema_of_that_name_that_belongs_to_somebody_else_is_named_and_nothing_is_changed()
    {
        var owner = await TestCluster.EmptyAsync();
        await TestCluster.ExecuteAsync(owner, "create schema internal");
        var error = await Assert.ThrowsAsync<MigrationException>(() =>
            new Migrator(owner, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None)
        );
        Assert.Contains("the schema internal is there already and belongs to ", error.Message, StringComparison.Ordinal);
        Assert.Contains("give yours another one", error.Message, StringComparison.Ordinal);
        Assert.Equal("0", await OneAsync(owner, "select count(*) from pg_class where relnamespace = 'public'::regnamespace"));
    }

    private Task<List<string>> RowsAsync(bool isUpgraded, string sql) => RowsAsync(isUpgraded ? databases.Upgraded : databases.Fresh, sql);

    private static async Task<string> OneAsync(string owner, string sql) => (await RowsAsync(owner, sql))[0];

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<List<string>> RowsAsync(string owner, string sql)
    {
        await using var connection = new NpgsqlConnection(owner + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add(Convert.ToString(reader.GetValue(0), System.Globalization.CultureInfo.InvariantCulture)!);
        }
        return rows;
    }
}
