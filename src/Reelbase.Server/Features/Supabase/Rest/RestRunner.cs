using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>Runs a request as its caller in one transaction.</summary>
internal sealed class RestRunner(RestCatalogSource catalogs, CallerDatabase database, IOptions<RestOptions> options)
{
    /// <summary>The answer; keys of files in it stand between <paramref name="secret"/>.</summary>
    /// <exception cref="RestError">Whatever is wrong.</exception>
    public async Task<RestResponse> RunAsync(RestRequest request, Caller caller, string secret, CancellationToken cancellationToken)
    {
        var catalog = await catalogs.GetAsync(cancellationToken);
        try
        {
            return await RunAsync(request, catalog, caller, secret, cancellationToken);
        }
        catch (RestError error) when (error.MayBeStale)
        {
            if (await catalogs.ReloadAsync(catalog, cancellationToken) is { } newer)
            {
                return await RunAsync(request, newer, caller, secret, cancellationToken);
            }
            throw;
        }
    }

    private async Task<RestResponse> RunAsync(RestRequest request, RestCatalog catalog, Caller caller, string secret, CancellationToken cancellationToken)
    {
        var relation = catalog.Get(request.Schema, request.Table, caller);
        if (request.Method == "OPTIONS")
        {
            return new RestResponse { Status = 200, SaysEmpty = true }.With("Allow", Allowed(relation));
        }
        var plan = new Plan(request, relation, new RestPlanner(catalog, options.Value, caller, request.Schema), catalog, caller, options.Value, secret);
        var rules = new CallerTransactionRules(
            request.IsRead,
            options.Value.StatementTimeoutSeconds,
            string.Join(", ", options.Value.Exposed.Select(RestCatalog.Quote)),
            request.Preferences.TimeZone ?? "UTC"
        );
        try
        {
            return await database.InTransactionAsync(
                caller,
                rules,
                transaction => request.IsRead ? ReadAsync(plan, transaction, cancellationToken) : WriteAsync(plan, transaction, cancellationToken),
                cancellationToken
            );
        }
        catch (PostgresException error) when (error.SqlState == "RB003")
        {
            throw RestError.TooMuch($"embedded resources of at most {options.Value.MaxListBytes} bytes in all; embed fewer, or limit them");
        }
        catch (PostgresException error)
        {
            throw RestError.From(error, caller);
        }
    }

    /// <summary>What a request needs to become statements.</summary>
    private sealed record Plan(
        RestRequest Request,
        RestRelation Relation,
        RestPlanner Planner,
        RestCatalog Catalog,
        Caller Caller,
        RestOptions Options,
        string Secret
    );

    private static string Allowed(RestRelation relation) =>
        string.Join(
            ',',
            (string[])
                [
                    "OPTIONS",
                    "GET",
                    "HEAD",
                    .. relation.Insertable ? ["POST"] : Array.Empty<string>(),
                    .. relation is { Insertable: true, Updatable: true, PrimaryKey.Count: > 0 } ? ["PUT"] : Array.Empty<string>(),
                    .. relation.Updatable ? ["PATCH"] : Array.Empty<string>(),
                    .. relation.Deletable ? ["DELETE"] : Array.Empty<string>(),
                ]
        );

    private static async Task<RestResponse> ReadAsync(Plan plan, CallerTransaction transaction, CancellationToken cancellationToken)
    {
        var (request, preferences) = (plan.Request, plan.Request.Preferences);
        preferences.Check();
        var root = plan.Planner.Plan(plan.Relation, request.Query, false, request.Range);
        var sql = new SqlText();
        var writer = new ReadSql(sql, plan.Catalog, plan.Caller, plan.Secret, plan.Options);
        var rows = writer.Rows(root);
        var count = preferences.Counts ? $"(select count(*) from ({writer.Count(root)}) as c)" : "null::bigint";
        var isHead = request.Method == "HEAD";
        sql.Add($"select {count}, count(*), {(isHead ? "''" : Body(request.Media, plan.Options))} from ({rows}) as r");
        var row = (await transaction.FirstAsync(sql.ToString(), sql.Arguments, cancellationToken))!;
        var page = (long)row[1]!;
        CheckSingle(request.Media, page);
        var total = (long?)row[0];
        if (preferences.Count is "planned" or "estimated")
        {
            var planned = await EstimateAsync(plan, root, transaction, cancellationToken);
            total =
                preferences.Count == "planned" ? planned
                : total > plan.Options.MaxRows ? Math.Max(total.Value, planned)
                : total;
        }
        var lower = request.Range.Lower;
        if (lower > total)
        {
            var error = RestError.Range($"An offset of {lower} was requested, but there are only {total} rows.");
            return new RestResponse
            {
                Status = 416,
                Body = isHead ? "" : System.Text.Encoding.UTF8.GetString(error.Body()),
                ContentType = RestMedia.Array.ContentType,
            }
                .With("Content-Range", $"*/{total}")
                .With("Preference-Applied", preferences.Applied(false, false, false, false, false));
        }
        return new RestResponse
        {
            Status = total is { } all && page < all ? 206 : 200,
            Body = isHead ? null : (string?)row[2] ?? throw TooLarge(plan.Options),
            ContentType = request.Media.ContentType,
        }
            .With("Content-Range", ContentRange(lower, lower + page - 1, total))
            .With("Content-Location", $"/{request.Table}{(request.Query.Canonical.Length == 0 ? "" : "?" + request.Query.Canonical)}")
            .With("Preference-Applied", preferences.Applied(false, false, false, false, false));
    }

    private static async Task<long> EstimateAsync(Plan plan, ReadNode root, CallerTransaction transaction, CancellationToken cancellationToken)
    {
        var sql = new SqlText();
        var count = new ReadSql(sql, plan.Catalog, plan.Caller, plan.Secret, plan.Options).Count(root);
        sql.Add($"explain (format json) {count}");
        var row = await transaction.FirstAsync(sql.ToString(), sql.Arguments, cancellationToken);
        using var document = JsonDocument.Parse((string)row![0]!);
        return document.RootElement[0].GetProperty("Plan").GetProperty("Plan Rows").GetInt64();
    }

    private static async Task<RestResponse> WriteAsync(Plan plan, CallerTransaction transaction, CancellationToken cancellationToken)
    {
        var (request, preferences, relation) = (plan.Request, plan.Request.Preferences, plan.Relation);
        var root = plan.Planner.Plan(relation, request.Query, true, RowRange.All);
        var sql = new SqlText();
        var returning = preferences.Return is "representation" or "headers-only" ? Returning(plan, root) : [];
        var change = Change(plan, sql, returning);
        preferences.Check();
        var reader = new ReadSql(sql, plan.Catalog, plan.Caller, plan.Secret, plan.Options);
        var isInsert = request.Method == "POST";
        var key =
            isInsert && preferences.Return == "headers-only" && relation.PrimaryKey.Count > 0
                ? $"(select row_to_json(k)::text from (select {string.Join(", ", relation.PrimaryKey.Where(returning.Contains).Select(name => $"{RestCatalog.Quote(name)}::text"))} from rest_source limit 1) as k)"
                : "null";
        var rows = preferences.WantsRows ? reader.Rows(root, "rest_source") : "select 1 from rest_source";
        sql.Add(
            $"with rest_source as ({change}) select count(*), {key}, {WriteSql.Inserted}, {(preferences.WantsRows ? Body(request.Media, plan.Options) : "''")} from ({rows}) as r"
        );
        var row = (await transaction.FirstAsync(sql.ToString(), sql.Arguments, cancellationToken))!;
        var touched = (long)row[0]!;
        if (request.Method == "PUT")
        {
            if (touched != 1)
            {
                throw new RestError(400, "PGRST115", "Payload values do not match URL in primary key column(s)");
            }
        }
        else
        {
            CheckSingle(request.Media, touched);
        }
        if (request.Method is "PATCH" or "DELETE" && preferences is { IsStrict: true, MaxAffected: { } most } && touched > most)
        {
            throw new RestError(400, "PGRST124", "Query result exceeds max-affected preference constraint", $"The query affects {touched} rows");
        }
        var body = preferences.WantsRows ? (string?)row[3] ?? throw TooLarge(plan.Options) : null;
        return Written(plan, touched, (string?)row[1], (long?)row[2], body);
    }

    private static RestResponse Written(Plan plan, long touched, string? key, long? inserted, string? body)
    {
        var (request, preferences) = (plan.Request, plan.Request.Preferences);
        var isInsert = request.Method == "POST";
        var hasKeys = plan.Relation.PrimaryKey.Count > 0 || request.Query.OnConflict is not null;
        var status = request.Method switch
        {
            "POST" => preferences.Resolution == "merge-duplicates" && (inserted ?? 0) <= 0 ? 200 : 201,
            "PUT" when body is not null => inserted > 0 ? 201 : 200,
            _ => body is null ? 204 : 200,
        };
        long? total = preferences.Counts ? touched : null;
        return new RestResponse
        {
            Status = status,
            Body = body,
            SaysEmpty = isInsert,
            ContentType = body is null ? null : request.Media.ContentType,
        }
            .With("Location", isInsert && key is not null ? Location(request.Table, key) : null)
            .With(
                "Content-Range",
                request.Method switch
                {
                    "PATCH" => ContentRange(0, touched - 1, total),
                    "PUT" => null,
                    _ => ContentRange(1, 0, total),
                }
            )
            .With("Preference-Applied", preferences.Applied(true, isInsert, hasKeys, request.Method == "PATCH", request.Method == "DELETE"));
    }

    private static string Change(Plan plan, SqlText sql, IReadOnlyList<string> returning)
    {
        var (request, query, relation) = (plan.Request, plan.Request.Query, plan.Relation);
        var writer = new WriteSql(sql, plan.Caller, relation, request.Preferences);
        List<Condition> conditions =
        [
            .. query.Filters.Where(filter => filter.Path.Count == 0).Select(filter => filter.Value),
            .. query.Logic.Where(logic => logic.Path.Count == 0).Select(logic => logic.Value),
        ];
        if (request.Method is "PATCH" or "DELETE" && conditions.Count == 0)
        {
            // Without a filter it would be all rows: never meant, and refused as Supabase refuses it.
            throw new RestError(400, "21000", $"{(request.Method == "PATCH" ? "UPDATE" : "DELETE")} requires a WHERE clause");
        }
        switch (request.Method)
        {
            case "POST":
                return writer.Insert(request.Payload!, ConflictKeys(relation, query), returning);
            case "PATCH":
                return writer.Update(request.Payload!, conditions, returning);
            case "DELETE":
                return writer.Delete(conditions, returning);
            default:
                var filters = query.Filters.Where(filter => filter.Path.Count == 0).Select(filter => filter.Value).ToList();
                var namesTheKey =
                    query.Logic.Count == 0
                    && relation.PrimaryKey.Count > 0
                    && query.FilterKeys.SetEquals(relation.PrimaryKey)
                    && filters.TrueForAll(filter =>
                        filter is { Field.Path.Count: 0, Comparison: { Not: false, Kind: OperatorKind.Quantified, Name: "eq", Modifier: null } }
                    );
                return namesTheKey
                    ? writer.Put(request.Payload!, filters, returning)
                    : throw new RestError(405, "PGRST105", "Filters must include all and only primary key columns with 'eq' operators");
        }
    }

    private static IReadOnlyList<string> ConflictKeys(RestRelation relation, RestQuery query)
    {
        foreach (var name in query.OnConflict ?? [])
        {
            if (relation.Find(name) is null)
            {
                throw new RestError(400, "42703", $"column \"{name}\" does not exist");
            }
        }
        return query.OnConflict ?? relation.PrimaryKey;
    }

    /// <summary>The columns that the answer needs: those selected, those that join, those ordered by, the key.</summary>
    private static List<string> Returning(Plan plan, ReadNode root)
    {
        var granted = plan.Planner.Granted(plan.Relation).Select(column => column.Name).ToHashSet();
        var names = root.Fields.Where(field => field.Field.Name != "*").Select(field => ConditionSql.Find(root, field.Field.Name)).ToList();
        return
        [
            .. names
                .Select(column => column.Name)
                .Concat(
                    names.Exists(column => column.IsStorageKey) && plan.Relation.Find("created_at") is not null && granted.Contains("created_at")
                        ? ["created_at"]
                        : []
                )
                .Concat(root.Children.SelectMany(child => child.Relationship!.Columns.Select(pair => pair.From)))
                .Concat(root.Order.Where(term => term.Relation is null).Select(term => ConditionSql.Find(root, term.Field.Name).Name))
                .Concat(plan.Relation.PrimaryKey.Where(granted.Contains))
                .Distinct(),
        ];
    }

    /// <summary>The rows as one text; null when that is larger than an answer may be.</summary>
    private static string Body(RestMedia media, RestOptions options)
    {
        var json = media.StripsNulls ? "json_strip_nulls(json_agg(r))" : "json_agg(r)";
        var text =
            media.IsCsv
                ? "coalesce((array_agg((select string_agg(k, ',') from json_object_keys(row_to_json(r)) as k)))[1], '') || E'\\n' || coalesce(string_agg(substring(r::text, 2, length(r::text) - 2), E'\\n'), '')"
            : media.IsSingle ? $"coalesce(({json}->0)::text, 'null')"
            : $"coalesce({json}::text, '[]')";
        return $"(select case when octet_length(b) <= {options.MaxAnswerBytes} then b end from (select {text}) as _(b))";
    }

    private static void CheckSingle(RestMedia media, long rows)
    {
        if (media.IsSingle && rows != 1)
        {
            throw RestError.NotSingle(rows);
        }
    }

    private static RestError TooLarge(RestOptions options) => RestError.TooMuch($"answers of at most {options.MaxAnswerBytes} bytes; ask for fewer rows");

    private static string ContentRange(long lower, long upper, long? total) =>
        $"{(total != 0 && lower <= upper ? $"{lower}-{upper}" : "*")}/{total?.ToString(CultureInfo.InvariantCulture) ?? "*"}";

    private static string Location(string table, string key)
    {
        using var document = JsonDocument.Parse(key);
        var parts = document
            .RootElement.EnumerateObject()
            .Select(pair =>
                $"{Uri.EscapeDataString(pair.Name)}={(pair.Value.ValueKind == JsonValueKind.Null ? "is.null" : "eq." + Uri.EscapeDataString(pair.Value.GetString()!))}"
            );
        return $"/{table}?{string.Join('&', parts)}";
    }
}
