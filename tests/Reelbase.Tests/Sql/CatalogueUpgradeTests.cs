using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>What the corrections of November 2026 do to a catalogue that is there: rows as they were seeded become right, rows that an operator has changed stay as they are.</summary>
[Quick]
public sealed class CatalogueUpgradeTests(SqlDatabase database)
{
    private const string Fast = "a0000000-0000-4000-8000-000000000001";
    private const string Lite = "a0000000-0000-4000-8000-000000000003";
    private const string Wan = "a0000000-0000-4000-8000-000000000012";

    /// <summary>The rows as the seeds of before had them.</summary>
    private const string Before = """
        update models set is_active = false where is_active;
        delete from models where id::text > 'a0000000-0000-4000-8000-00000000000d';
        update models set operator_note = null, is_active = true, is_featured = true,
          required_fields = jsonb_set(required_fields, '{settings,resolution}', '{"default":"720p","options":["720p","1080p"]}')
        where id = 'a0000000-0000-4000-8000-000000000001';
        update models set required_fields = jsonb_set(jsonb_set(required_fields, '{settings,resolution}', '{"default":"720p","options":["720p","1080p"]}'),
          '{settings,audio,surcharge_percent}', '{"true":50}') where id = 'a0000000-0000-4000-8000-000000000003';
        update models set required_fields = jsonb_set(required_fields, '{settings,duration,options}', '[3,4,5,6,8,10]') where name like 'Kling 3%';
        update models set is_available = true where provider = 'runway';
        update models set sunset_at = null where name = 'Sora 2';
        """;

    [Fact]
    public async Task Rows_as_they_were_seeded_are_corrected_and_the_default_waits_for_a_node_of_this_release()
    {
        await using var db = await database.BeginAsync();
        await UpgradeAsync(db, "");
        Assert.Equal(
            ["True|False|True|200"],
            await db.RowsAsync(
                $$"""select is_active, is_featured, operator_note is not null, required_fields #>> '{settings,resolution,surcharge_percent,4k}' from models where id = '{{Fast}}'"""
            )
        );
        Assert.Equal(
            ["67|100"],
            await db.RowsAsync(
                $$"""select required_fields #>> '{settings,resolution,surcharge_percent,1080p}', required_fields #>> '{settings,audio,surcharge_percent,true}' from models where id = '{{Lite}}'"""
            )
        );
        Assert.Equal(
            ["13"],
            await db.RowsAsync("select jsonb_array_length(required_fields #> '{settings,duration,options}') from models where name = 'Kling 3'")
        );
        Assert.Equal(["False|True"], await db.RowsAsync("select is_available, paused_reason is not null from models where provider_model_id = 'veo3.1_fast'"));
        Assert.Equal(["15"], await db.RowsAsync("select count(*) from models where id::text > 'a0000000-0000-4000-8000-00000000000d'"));
        // Nodes of before cannot submit to it: it becomes the default when one of this release runs, once.
        Assert.Equal([Fast], await db.RowsAsync("select id from models where is_active"));
        await db.RunAsync(
            "insert into provider_states (provider, is_configured) values ('fal', true) on conflict (provider) do update set is_configured = true"
        );
        Assert.Equal("Wan 3.0", await db.ValueAsync<string>("select move_default_model()"));
        Assert.Equal([Wan], await db.RowsAsync("select id from models where is_active"));
        await db.RunAsync($"update models set is_active = false where is_active; update models set is_active = true where id = '{Fast}'");
        Assert.Null(await db.ValueAsync<string>("select move_default_model()"));
        Assert.Equal([Fast], await db.RowsAsync("select id from models where is_active"));
    }

    [Fact]
    public async Task Rows_that_an_operator_has_changed_stay_as_they_are()
    {
        await using var db = await database.BeginAsync();
        // A price, an endpoint, options: each of them makes a row the operator's.
        await UpgradeAsync(
            db,
            $$"""
            update models set credits_per_second = 4 where id = '{{Fast}}';
            update models set required_fields = jsonb_set(required_fields, '{settings,audio,surcharge_percent}', '{"true":80}') where id = '{{Lite}}';
            update models set provider_cost = 0.09 where name = 'Kling 3';
            """
        );
        Assert.Equal(
            ["True|True|2"],
            await db.RowsAsync(
                $"select is_active, is_featured, jsonb_array_length(required_fields #> '{{settings,resolution,options}}') from models where id = '{Fast}'"
            )
        );
        Assert.Equal(
            ["|80"],
            await db.RowsAsync(
                $$"""select required_fields #>> '{settings,resolution,surcharge_percent,1080p}', required_fields #>> '{settings,audio,surcharge_percent,true}' from models where id = '{{Lite}}'"""
            )
        );
        Assert.Equal(
            ["6"],
            await db.RowsAsync("select jsonb_array_length(required_fields #> '{settings,duration,options}') from models where name = 'Kling 3'")
        );
        Assert.Null(await db.ValueAsync<string>("select move_default_model()"));
        Assert.Equal([Fast], await db.RowsAsync("select id from models where is_active"));
    }

    private static async Task UpgradeAsync(SqlCase db, string changes)
    {
        var corrections = await File.ReadAllTextAsync(Repository.PathOf("database/migrations/0073_the_catalogue_of_late_2026.sql"));
        var seeds = await File.ReadAllTextAsync(Repository.PathOf("database/seeds/catalog.seed.sql"));
        // Rows of before are older than this transaction.
        await db.RunAsync(Before + "update models set created_at = now() - interval '1 month';" + changes);
        await db.RunAsync(corrections[corrections.IndexOf("-- Google switched", StringComparison.Ordinal)..]);
        await db.RunAsync(seeds);
    }
}
