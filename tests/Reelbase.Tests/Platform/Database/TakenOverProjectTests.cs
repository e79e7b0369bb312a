using Microsoft.Extensions.Logging.Abstractions;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>A Supabase project's database that is taken over in place: its prices hold, its closed models are not offered, and its schedules are off.</summary>
public sealed class TakenOverProjectTests
{
    [Fact]
    public async Task Prices_for_a_second_hold_and_schedules_that_would_act_on_our_tables_are_off()
    {
        var project = await SupabaseProject.CreateAsync();
        await TestCluster.ExecuteAsync(
            project.Database,
            """
            create function public.tidy_up() returns void language sql as 'select 1';
            insert into cron.job (schedule, command, jobname) values ('* * * * *', 'select tidy_up()', 'tidy'), ('* * * * *', 'vacuum', 'vacuum'), ('* * * * *', 'select public.add_credits(1)', null);
            """
        );
        var result = await new Migrator(project.Database, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None);
        Assert.Equal(
            ["12", "4"],
            await SupabaseProject.RowsAsync(
                project.Database,
                """
                select internal.price_generation(cost_per_generation, pricing_type, credits_per_second, required_fields, internal.resolve_settings(required_fields, '{}', s::jsonb))
                from models, unnest(array['{"duration":12}', '{"duration":4}']) s where id = '20000000-0000-4000-8000-000000000002'
                """
            )
        );
        Assert.Contains(
            "model 20000000-0000-4000-8000-000000000002 (Veo 3.1 Fast): base_price 0.1000 a second is 1 credits, so 12 seconds cost 12; cost_per_generation said 4",
            result.Report
        );
        Assert.Contains(
            result.Report,
            line => line.Contains("(Sora 2) was shut down by its vendor on 2026-09-24: it is not offered. It is the active one", StringComparison.Ordinal)
        );
        Assert.Contains(
            result.Report,
            line => line.StartsWith("pg_cron job 'cleanup-old-videos' (0 3 * * *) would act on the new tables and was switched off", StringComparison.Ordinal)
        );
        Assert.Contains(result.Report, line => line.StartsWith("pg_cron job 'vacuum' (* * * * *) names none", StringComparison.Ordinal));
        Assert.Equal(
            ["cleanup-old-videos|False", "tidy|False", "vacuum|True"],
            await SupabaseProject.RowsAsync(project.Database, "select jobname, active from cron.job where jobname is not null order by jobname")
        );
        Assert.Empty(await SupabaseProject.RowsAsync(project.Database, "select * from check_ledger()"));
    }

    [Fact]
    public async Task A_table_of_consents_and_other_taken_names_are_set_aside_and_consents_are_carried_over()
    {
        var project = await SupabaseProject.CreateAsync();
        await TestCluster.ExecuteAsync(
            project.Database,
            """
            insert into public.user_consents (user_id, kind, version) values
              ('10000000-0000-4000-8000-000000000001', 'marketing', '1'), ('10000000-0000-4000-8000-00000000dead', 'terms', '1'), ('10000000-0000-4000-8000-000000000003', 'ai_processing', '1');
            create table public.products (id serial primary key, title text);
            insert into public.products (title) values ('Twenty-five');
            create view public.alerts as select 1 as one;
            create function public.record_consent(p_user_id uuid) returns void language sql as 'select 1';
            insert into cron.job (schedule, command, jobname) values ('* * * * *', 'delete from products', 'prices');
            """
        );
        var result = await new Migrator(project.Database, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None);
        Assert.Equal(
            ["10000000-0000-4000-8000-000000000003|ai_processing|1"],
            await SupabaseProject.RowsAsync(project.Database, "select user_id, kind, version from user_consents")
        );
        Assert.Contains(
            "before_reelbase.user_consents: 1 of 4 consents were carried over; the others are of another kind, given twice, or nobody's, and lie there still",
            result.Report
        );
        Assert.Contains("table before_reelbase.products: 1 rows of before have a name that is ours; they were set aside and not carried over", result.Report);
        Assert.Single(
            result.Report,
            line => line.StartsWith("pg_cron job 'prices'", StringComparison.Ordinal) && line.Contains("switched off", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(result.Report, line => line.StartsWith("pg_cron job 'prices' (* * * * *) names none", StringComparison.Ordinal));
        Assert.Equal(
            ["0"],
            await SupabaseProject.RowsAsync(
                project.Database,
                "select count(*) from pg_class where relnamespace = 'public'::regnamespace and relname in ('user_consents', 'products', 'alerts') and relowner <> 'reelbase_owner'::regrole"
            )
        );
    }

    [Fact]
    public async Task A_name_that_somebody_else_uses_is_one_line_that_says_what_to_do()
    {
        var database = await TestCluster.EmptyAsync();
        await TestCluster.ExecuteAsync(database, "create table public.push_tokens (id integer)");
        var error = await Assert.ThrowsAsync<MigrationException>(() =>
            new Migrator(database, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None)
        );
        Assert.Contains("public.push_tokens is there already, a table of ", error.Message, StringComparison.Ordinal);
        Assert.Contains("alter table public.push_tokens set schema aside", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(["1"], await SupabaseProject.RowsAsync(database, "select count(*) from pg_tables where schemaname = 'public'"));
    }

    /// <summary>The migrator gives the file that sets names aside the list of ours, by reading the files: it has to find every one.</summary>
    [Fact]
    public async Task Every_table_and_function_of_ours_is_a_name_that_is_set_aside()
    {
        var database = await TestCluster.CloneAsync();
        var tables = SchemaRelease.Current.NamesOf("table").Split(',');
        var functions = SchemaRelease.Current.NamesOf("function").Split(',');
        Assert.Empty(
            (
                await SupabaseProject.RowsAsync(database, "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')")
            ).Except(tables)
        );
        Assert.Empty(
            (
                await SupabaseProject.RowsAsync(
                    database,
                    "select distinct proname from pg_proc p where pronamespace in ('public'::regnamespace, 'internal'::regnamespace) and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')"
                )
            ).Except(functions)
        );
    }
}
