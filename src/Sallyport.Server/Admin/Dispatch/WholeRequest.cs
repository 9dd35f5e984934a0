using System.Collections;
using System.Text.Json.Serialization.Metadata;

namespace Sallyport.Server.Admin.Dispatch;

/// <summary>A request as JSON may leave out what its record says is always there; who answers it must not find that out.</summary>
internal static class WholeRequest
{
    /// <summary>True when nothing that must not be null is null, however deep.</summary>
    public static bool Is(object value, JsonTypeInfo type) => type.Kind switch
    {
        JsonTypeInfoKind.Object => type.Properties.All(property => property.Get?.Invoke(value) is { } member
            ? Is(member, type.Options.GetTypeInfo(property.PropertyType))
            : property.IsGetNullable),
        JsonTypeInfoKind.Enumerable when type.ElementType is { } element => ((IEnumerable)value).Cast<object?>()
            .All(one => one is not null && Is(one, type.Options.GetTypeInfo(element))),
        _ => true,
    };
}
