using System.Text.Json;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Fal;
using Reelbase.Server.Integrations.Runway;
using Reelbase.Simulators;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>The catalogue of late 2026: its requests beside what the endpoints publish, its prices beside what they cost.</summary>
[Quick]
public sealed class CatalogueTests(SqlDatabase database)
{
    /// <summary>Dollars that a credit brings at the least, after the store's share: what <c>Generation:DollarsPerCredit</c> says by default.</summary>
    private const decimal DollarsPerCredit = 0.12m;

    [Fact]
    public async Task Every_rows_request_is_what_its_endpoint_publishes_with_every_option()
    {
        await using var db = await database.BeginAsync();
        var rows = await db.RowsAsync(
            """
            select jsonb_build_object('provider', m.provider, 'model', m.provider_model_id, 'category', m.category, 'map', m.provider_input,
              'option', coalesce(o.setting || '=' || o.option::text, 'defaults'),
              'settings', internal.resolve_settings(m.required_fields, '{}', case when o.setting is null then '{}' else jsonb_build_object(o.setting, o.option) end))
            from models m cross join lateral (
              select null as setting, null::jsonb as option union all
              select s.key, e from jsonb_each(m.required_fields -> 'settings') s, jsonb_array_elements(s.value -> 'options') e) o
            """
        );
        Assert.True(rows.Count > 200, $"{rows.Count} requests");
        var faults = new List<string>();
        foreach (var row in rows.Select(Parsed))
        {
            var model = row.GetProperty("model").GetString()!;
            var picture = row.GetProperty("category").GetString() == "image_to_video" ? "https://pictures.example/first.jpg" : null;
            var input = new GenerationInput(model, "A lighthouse in a storm", row.GetProperty("settings"), picture, row.GetProperty("map"));
            var (schemas, endpoint, body) =
                row.GetProperty("provider").GetString() == "runway"
                    ? (VendorSchemas.Runway, $"{RunwayInput.Path(input)[4..]} {model}", RunwayInput.Build(input))
                    : (VendorSchemas.Fal, model, FalInput.Build(input));
            if (!schemas.Has(endpoint))
            {
                faults.Add($"{endpoint}: no schema is kept");
            }
            else if (schemas.FindFault(endpoint, JsonSerializer.SerializeToElement(body)) is { } fault)
            {
                faults.Add($"{endpoint} {row.GetProperty("option")}: {fault.Field} {fault.Type}: {body.ToJsonString()}");
            }
        }
        Assert.Empty(faults);
    }

    [Fact]
    public void Every_schema_says_where_it_was_read_and_when()
    {
        foreach (var (endpoint, entry) in VendorSchemas.Fal.Endpoints.Concat(VendorSchemas.Runway.Endpoints))
        {
            Assert.True(entry.GetProperty("source").GetString() is { Length: > 20 }, endpoint);
            Assert.True(DateOnly.TryParse(entry.GetProperty("read_on").GetString(), System.Globalization.CultureInfo.InvariantCulture, out _), endpoint);
        }
    }

    [Fact]
    public async Task Every_offered_row_is_priced_above_what_it_costs_us_with_every_combination_or_says_why_not()
    {
        await using var db = await database.BeginAsync();
        Assert.Empty(
            await db.RowsAsync(
                """
                with options as (
                  select m.id, s.key, e as option from models m, jsonb_each(m.required_fields -> 'settings') s, jsonb_array_elements(s.value -> 'options') e
                  where m.is_available),
                combinations as (
                  select m.id, m.name, coalesce(jsonb_build_object('duration', d.option), '{}') || coalesce(jsonb_build_object('resolution', r.option), '{}')
                    || coalesce(jsonb_build_object('audio', a.option), '{}') as chosen
                  from models m left join options d on d.id = m.id and d.key = 'duration' left join options r on r.id = m.id and r.key = 'resolution'
                    left join options a on a.id = m.id and a.key = 'audio'
                  where m.is_available)
                select c.name, c.chosen, p.credits, p.micros from combinations c join models m using (id)
                cross join lateral (select jsonb_strip_nulls(c.chosen) as chosen) s
                cross join lateral (select internal.price_generation(m.cost_per_generation, m.pricing_type, m.credits_per_second, m.required_fields, s.chosen) as credits,
                  internal.estimate_provider_cost(m.id, s.chosen) as micros) p
                where (p.micros = 0 or p.credits * $1 * 1000000 <= p.micros) and coalesce(m.operator_note, '') not like 'Priced below cost:%'
                """,
                DollarsPerCredit
            )
        );
    }

    [Fact]
    public async Task The_default_is_not_one_that_its_vendor_ends_and_takes_what_shipped_presses_send()
    {
        await using var db = await database.BeginAsync();
        Assert.Equal(["Wan 3.0"], await db.RowsAsync("select name from models where is_active"));
        Assert.Equal(
            [
                "4|720p|16:9|4",
                "5|720p|16:9|5",
                "6|720p|16:9|6",
                "7|720p|16:9|7",
                "8|720p|16:9|8",
                "9|720p|16:9|9",
                "10|720p|16:9|10",
                "11|720p|16:9|11",
                "12|720p|16:9|12",
            ],
            await db.RowsAsync(
                """
                select s.chosen ->> 'duration', s.chosen ->> 'resolution', s.chosen ->> 'aspect_ratio',
                  internal.price_generation(m.cost_per_generation, m.pricing_type, m.credits_per_second, m.required_fields, s.chosen)
                from generate_series(4, 12) seconds, models m
                cross join lateral (select internal.resolve_settings(m.required_fields, '{}', jsonb_build_object('resolution', '720p', 'aspect_ratio', 'auto', 'duration', seconds)) as chosen) s
                where m.is_active order by seconds
                """
            )
        );
        Assert.Equal(["2026-09-24"], await db.RowsAsync("select to_char(sunset_at at time zone 'UTC', 'YYYY-MM-DD') from models where name = 'Sora 2'"));
        // What is not confirmed is there, switched off, and says why.
        Assert.Empty(await db.RowsAsync("select name from models where not is_available and paused_reason is null and sunset_at is null"));
    }

    private static JsonElement Parsed(string text) => JsonDocument.Parse(text).RootElement;
}
