using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Server.Features.Jobs.Live;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Supabase.Realtime;

/// <summary>Writes a change as Supabase's clients read it: keys of files as the links that <c>get-video-status</c> gives.</summary>
internal sealed class ChangeRecord(FileLinks links, IOptions<GenerationOptions> generation)
{
    /// <summary>Columns that hold keys of files, and where those lie.</summary>
    public static IReadOnlyDictionary<string, string> Buckets { get; } =
        new Dictionary<string, string> { ["video_url"] = "videos", ["thumbnail_url"] = "thumbnails" };

    /// <summary>Writes <c>ids</c> and <c>data</c>.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="change">What has changed.</param>
    /// <param name="ids">The entries of the channel that it is for.</param>
    /// <param name="columns">The columns that they want, of those that the caller may read.</param>
    /// <param name="server">The address of this server, for links.</param>
    public void Write(Utf8JsonWriter json, LiveChange change, IEnumerable<long> ids, IReadOnlyList<LiveColumn> columns, string server)
    {
        json.WriteStartArray("ids");
        foreach (var id in ids)
        {
            json.WriteNumberValue(id);
        }
        json.WriteEndArray();
        json.WriteStartObject("data");
        json.WriteString("schema", "public");
        json.WriteString("table", change.Table);
        json.WriteString("type", change.Type);
        json.WriteString("commit_timestamp", Json.Time(change.At));
        json.WriteStartArray("columns");
        foreach (var column in columns)
        {
            json.WriteStartObject();
            json.WriteString("name", column.ColumnName);
            json.WriteString("type", column.TypeName);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (change.Type != "DELETE")
        {
            json.WriteStartObject("record");
            WriteRow(json, change.Record, columns, server);
            json.WriteEndObject();
        }
        if (change.Type != "INSERT")
        {
            json.WriteStartObject("old_record");
            json.WriteString(ChangeEntry.KeyOf(change.Table), change.Id);
            json.WriteEndObject();
        }
        json.WriteNull("errors");
        json.WriteEndObject();
    }

    private void WriteRow(Utf8JsonWriter json, JsonElement record, IReadOnlyList<LiveColumn> columns, string server)
    {
        foreach (var column in columns)
        {
            if (!record.TryGetProperty(column.ColumnName, out var value))
            {
                continue;
            }
            json.WritePropertyName(column.ColumnName);
            if (value.ValueKind == JsonValueKind.String && Buckets.TryGetValue(column.ColumnName, out var bucket))
            {
                var days = generation.Value.RetentionDays;
                DateTime? expires = days == 0 ? null : record.GetProperty("created_at").GetDateTime().ToUniversalTime().AddDays(days);
                json.WriteStringValue(links.Address(server, bucket, value.GetString(), expires));
            }
            else
            {
                value.WriteTo(json);
            }
        }
    }
}
