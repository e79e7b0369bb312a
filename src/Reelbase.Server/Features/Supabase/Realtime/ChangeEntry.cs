using System.Text.Json;
using Reelbase.Server.Features.Jobs.Live;

namespace Reelbase.Server.Features.Supabase.Realtime;

/// <summary>One entry of <c>postgres_changes</c> in a join: what its client wants to hear of.</summary>
internal sealed class ChangeEntry
{
    private static readonly Dictionary<string, string> KeyColumns = new() { ["video_jobs"] = "job_id", ["users"] = "id" };

    private readonly string? _table;
    private readonly ChangeFilter? _filter;

    /// <summary>The entry as its reply repeats it, without its id.</summary>
    private readonly (string Name, string Value)[] _echo;

    private ChangeEntry(long id, string type, string? table, ChangeFilter? filter, (string Name, string Value)[] echo, IReadOnlyList<string>? columns)
    {
        (Id, Type, _table, _filter, _echo, Columns) = (id, type, table, filter, echo, columns);
    }

    /// <summary>Its number on the channel; clients take 0 for none.</summary>
    public long Id { get; }

    /// <summary>INSERT, UPDATE, DELETE or *.</summary>
    private string Type { get; }

    /// <summary>The columns that it wants; null for all.</summary>
    public IReadOnlyList<string>? Columns { get; }

    /// <summary>What it holds in memory, about.</summary>
    public int Bytes => 100 + _echo.Sum(each => 4 * each.Value.Length) + (Columns?.Sum(column => 2 * column.Length) ?? 0);

    /// <summary>The key column of a table.</summary>
    public static string KeyOf(string table) => KeyColumns[table];

    /// <summary>Reads an entry.</summary>
    /// <exception cref="JoinRefusedException">It asks for what is not offered.</exception>
    public static ChangeEntry Read(JsonElement entry, long id, IReadOnlyDictionary<string, IReadOnlyList<LiveColumn>> tables)
    {
        if (entry.ValueKind != JsonValueKind.Object)
        {
            throw new JoinRefusedException("postgres_changes is a list of objects");
        }
        var echo = new List<(string, string)>();
        var type = Text(entry, "event", echo) ?? "*";
        var schema = Text(entry, "schema", echo) ?? "public";
        var table = Text(entry, "table", echo) is var name && name is null or "*" ? null : name;
        var filter = Text(entry, "filter", echo);
        if (type is not ("*" or "INSERT" or "UPDATE" or "DELETE"))
        {
            throw new JoinRefusedException($"There is no event {Short(type)}: INSERT, UPDATE, DELETE or *");
        }
        if (schema is not ("public" or "*") || (table is not null && !tables.ContainsKey(table)))
        {
            throw new JoinRefusedException($"Changes of {Short(schema)}.{Short(table ?? "*")} are not offered: public.video_jobs and public.users are");
        }
        if (table is null && (!string.IsNullOrEmpty(filter) || entry.TryGetProperty("select", out _)))
        {
            throw new JoinRefusedException("A filter or a list of columns needs a table");
        }
        return new(
            id,
            type,
            table,
            string.IsNullOrEmpty(filter)
                ? null
                : ChangeFilter.Read(filter, tables[table!].ToDictionary(column => column.ColumnName, column => column.TypeName)),
            [.. echo],
            table is null ? null : ReadColumns(entry, tables[table])
        );
    }

    /// <summary>What the hub is to watch for these entries.</summary>
    public static LiveInterest Interest(IReadOnlyList<ChangeEntry> entries)
    {
        var jobs = new HashSet<Guid>();
        var (all, profile) = (false, false);
        foreach (var entry in entries)
        {
            profile |= entry._table is null or "users";
            if (entry._table is null || (entry._table == "video_jobs" && entry._filter?.Keys(KeyOf("video_jobs")) is not { Count: > 0 }))
            {
                all = true;
            }
            else if (entry._table == "video_jobs")
            {
                jobs.UnionWith(entry._filter!.Keys(KeyOf("video_jobs"))!);
            }
        }
        return new(jobs.Count == 0 ? [] : jobs, AllJobs: all, Profile: profile);
    }

    /// <summary>Whether it wants to hear of a change.</summary>
    public bool Wants(LiveChange change) =>
        (Type == "*" || Type == change.Type)
        && (_table is null || _table == change.Table)
        && (_filter is null || _filter.Fits(KeyOf(change.Table), change.Id, change.Record));

    /// <summary>Repeats the entry with its id, which clients compare with what they sent.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("id", Id);
        foreach (var (name, value) in _echo)
        {
            json.WriteString(name, value);
        }
        if (Columns is not null)
        {
            json.WriteStartArray("select");
            foreach (var column in Columns)
            {
                json.WriteStringValue(column);
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static string? Text(JsonElement entry, string name, List<(string, string)> echo)
    {
        if (!entry.TryGetProperty(name, out var element) || element.ValueKind == JsonValueKind.Null)
        {
            return null;
        }
        var text = element.ValueKind == JsonValueKind.String ? element.GetString()! : throw new JoinRefusedException($"{name} is a text");
        // What most entries say is kept once.
        text = string.IsInterned(text) ?? text;
        echo.Add((name, text));
        return text;
    }

    private static List<string>? ReadColumns(JsonElement entry, IReadOnlyList<LiveColumn> known)
    {
        if (!entry.TryGetProperty("select", out var select) || select.ValueKind == JsonValueKind.Null)
        {
            return null;
        }
        var columns =
            select.ValueKind == JsonValueKind.Array
                ? select.EnumerateArray().Select(column => column.ValueKind == JsonValueKind.String ? column.GetString()! : "").ToList()
                : throw new JoinRefusedException("select is a list of columns");
        return columns.Find(column => known.All(each => each.ColumnName != column)) is { } unknown
            ? throw new JoinRefusedException($"There is no column {Short(unknown)} to read")
            : columns.Distinct().ToList();
    }

    private static string Short(string text) => text.Length > 64 ? text[..64] + "..." : text;
}
