using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using MudBlazor;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Modules;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Tests.Scenarios.ToyFeature;

/// <summary>A feature as CONTRIBUTING.md describes it, outside the program: notes that anybody leaves and a worker reads.</summary>
public sealed class NotesModule : IModule
{
    /// <summary>Its migration, functions and grants.</summary>
    public const string Sql = """
        create table toy_notes (id bigint generated always as identity primary key, text text not null check (text <> ''), read_at timestamptz);
        alter table toy_notes enable row level security;
        create function add_toy_note(p_text text) returns bigint
        language sql security definer set search_path = internal, public, pg_temp as $$ insert into toy_notes (text) values (p_text) returning id $$;
        create function read_toy_notes() returns bigint
        language sql security definer set search_path = internal, public, pg_temp as $$
          with r as (update toy_notes set read_at = clock_timestamp() where read_at is null returning 1) select count(*) from r $$;
        create function count_read_toy_notes() returns bigint
        language sql stable security definer set search_path = internal, public, pg_temp as $$ select count(*) from toy_notes where read_at is not null $$;
        create function admin_list_toy_notes(p_request jsonb) returns jsonb
        language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
          begin
            perform require_admin();
            return jsonb_build_object('rows', (select coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'text', n.text) order by n.id), '[]')
              from (select * from toy_notes order by id limit read_admin_integer(p_request, 'limit', 1, 100, 25)) n));
          end $$;
        create function admin_remove_toy_note(p_request jsonb) returns jsonb
        language plpgsql security definer set search_path = internal, public, pg_temp as $$
          declare v_admin uuid := require_admin();
          begin
            delete from toy_notes where id = read_admin_integer(p_request, 'note_id', 1, 9000000000000000);
            perform write_admin_action(v_admin, 'toy_note_remove', p_request);
            return '{"success":true}';
          end $$;
        revoke execute on function add_toy_note(text), read_toy_notes(), count_read_toy_notes(), admin_list_toy_notes(jsonb), admin_remove_toy_note(jsonb) from public;
        grant execute on function admin_list_toy_notes(jsonb), admin_remove_toy_note(jsonb) to authenticated, reelbase_owner;
        grant execute on function add_toy_note(text), count_read_toy_notes() to reelbase_api;
        grant execute on function read_toy_notes() to reelbase_worker;
        """;

    public IReadOnlyList<string> OwnedTables => ["toy_notes"];

    public IReadOnlyList<AdminOperation> AdminOperations =>
        [
            AdminOperation.QueryOf("admin-list-toy-notes", "What was left", new AdminListToyNotesRequest(), new AdminListToyNotesResponse([])),
            AdminOperation.ChangeOf(
                "admin-remove-toy-note",
                "Remove a note",
                new AdminRemoveToyNoteRequest(1, AdminField.SomeReason),
                new AdminSuccessResponse(true)
            ),
        ];

    public IReadOnlyList<MenuEntry> MenuEntries => [new("admin/toy-notes", Icons.Material.Filled.Note, "Notes", 95)];

    public void AddWorkers(WorkerRegistry workers) => workers.OnWorker<NoteReader>();

    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            routes.Functions.MapPost(
                "/toy-notes",
                async (HttpContext context, ApiDatabase database) =>
                    Json.Result(
                        new
                        {
                            id = await database.ScalarAsync<long>("select add_toy_note($1)", context.RequestAborted, context.Request.Query["text"].ToString()),
                        }
                    )
            );
            routes.Functions.MapGet(
                "/toy-notes",
                async (HttpContext context, ApiDatabase database) =>
                    Json.Result(new { read = await database.ScalarAsync<long>("select count_read_toy_notes()", context.RequestAborted) })
            );
        }
    }
}

/// <summary>Reads what was left.</summary>
public sealed class NoteReader(WorkerDatabase database, ILogger<NoteReader> logger) : PeriodicWork(logger)
{
    protected override TimeSpan Pause => TimeSpan.FromMilliseconds(50);

    protected override Task RunOnceAsync(CancellationToken stoppingToken) => database.ScalarAsync<long>("select read_toy_notes()", stoppingToken);
}

/// <summary>Its page in the console.</summary>
[Route("/admin/toy-notes")]
public sealed class NotesPage : ComponentBase
{
    protected override void BuildRenderTree(RenderTreeBuilder builder) => builder.AddContent(0, "Notes");
}

/// <summary>How many notes.</summary>
public sealed record AdminListToyNotesRequest([property: Description(AdminField.AboutLimit)] int? Limit = null);

/// <summary>Notes.</summary>
public sealed record AdminListToyNotesResponse(IReadOnlyList<ToyNote> Rows);

/// <summary>A note.</summary>
public sealed record ToyNote(long Id, string Text);

/// <summary>Which note goes, and why.</summary>
public sealed record AdminRemoveToyNoteRequest([property: Description("Which one")] long NoteId, [property: Description(AdminField.AboutReason)] string Reason);
