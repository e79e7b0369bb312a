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
            drop table public.user_consents;
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
                select price_generation(cost_per_generation, pricing_type, credits_per_second, required_fields, resolve_settings(required_fields, '{}', s::jsonb))
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
}
